#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "common/document/model.hpp"

namespace imageswarm::document {
namespace {

constexpr std::string_view header =
    "document: endorser-list\nformat: 1\nname: site\nepoch: 1\nserial: 7\nissued: 2026-01-01T00:00:00Z\n"
    "expires: 2026-01-29T00:00:00Z\n";

Result<EndorserList> parsed(std::string_view rest) {
  return parse_endorser_list(std::string{header} + std::string{rest});
}

std::string endorser(std::string_view but) {
  return "endorsers:\n  - {subject: CN=Ada, issuer: CN=CA, catalogue: \"https://x.org/c.yaml\", document: c" +
         std::string{but} + "}\n";
}

TEST_CASE("an endorser list goes through its written form unchanged") {
  auto const text = std::string{header} +
                    "endorsers:\n"
                    "  - name: Ada Endorser\n"
                    "    subject: CN=Ada,O=Example\n"
                    "    issuer: CN=CA,O=Example\n"
                    "    contact: ada@example.org\n"
                    "    catalogue: https://images.example.org/catalogue.yaml\n"
                    "    document: lxcloud\n"
                    "    epoch: 2\n"
                    "includes:\n"
                    "  - list: https://vo.example.org/endorsers.yaml\n"
                    "    document: vo\n"
                    "    subject: CN=VO,O=Example\n"
                    "    issuer: CN=CA,O=Example\n"
                    "    except:\n"
                    "      - subject: CN=Mallory,O=Example\n"
                    "        issuer: CN=CA,O=Example\n"
                    "new-key: x\n";
  auto const read = parse_endorser_list(text);
  if (!read) FAIL(read.error().line());
  CHECK(write(*read) == text);
  CHECK(read->endorsers.at(0).epoch == 2);
  CHECK(read->includes.at(0).except.at(0).subject == "CN=Mallory,O=Example");
}

TEST_CASE("the example in the documentation is what is written") {
  auto const page = read_file(IMAGESWARM_SOURCE_DIR "/docs/formats.md", 1_MiB).value();
  auto const begin = page.find("    document: endorser-list\n");
  std::string body;
  for (auto line : split(std::string_view{page}.substr(begin), '\n')) {
    if (line.starts_with("    x509-signature:")) break;
    body += std::string{line.substr(4)} + "\n";
  }
  auto const read = parse_endorser_list(body);
  if (!read) FAIL(read.error().line());
  CHECK(write(*read) == body);
}

TEST_CASE("a list of nobody is written so that it is read back") {
  auto const read = parsed("");
  REQUIRE(read);
  CHECK(parse_endorser_list(write(*read)));
}

TEST_CASE("what an endorser's epoch is, is one where nothing is said") {
  CHECK(parsed(endorser(""))->endorsers.at(0).epoch == 1);
}

TEST_CASE("an entry that cannot be judged in full refuses the list") {
  struct Wrong {
    std::string rest;
    std::string says;
  };
  auto const wrong = GENERATE(values<Wrong>({
      {endorser(", until: tomorrow"), "an endorser has no key 'until'"},
      {endorser(", epoch: 0"), "epoch: "},
      {endorser(", epoch: 9007199254740992"), "epoch: "},
      {"endorsers:\n  - {issuer: CN=CA, catalogue: \"https://x.org/c\", document: c}\n", "subject: it is missing"},
      {"endorsers:\n  - {subject: CN=A, catalogue: \"https://x.org/c\", document: c}\n", "issuer: it is missing"},
      {"endorsers:\n  - {subject: CN=A, issuer: CN=CA, document: c}\n", "catalogue: it is missing"},
      {"endorsers:\n  - {subject: CN=A, issuer: CN=CA, catalogue: \"https://x.org/c\"}\n", "document: it is missing"},
      {"endorsers:\n  - {subject: CN=A, issuer: CN=CA, catalogue: \"file:///etc/c\", document: c}\n", "not an http"},
      {"endorsers:\n  - {subject: CN=A, issuer: CN=CA, catalogue: c.yaml, document: c}\n", "not an http"},
      {"endorsers:\n  - {subject: CN=A, issuer: CN=CA, catalogue: \"https://x.org/c\", document: C}\n", "document: "},
      {"endorsers: {}\n", "it is not a list"},
      {"endorsers:\n  - CN=Ada\n", "not a map"},
      {"includes:\n  - {list: /etc/x, document: v, subject: CN=V, issuer: CN=CA}\n", "not an http"},
      {"includes:\n  - {list: \"https://x.org/v\", document: v, subject: CN=V}\n", "issuer: it is missing"},
      {"includes:\n  - {list: \"https://x.org/v\", document: v, subject: CN=V, issuer: CN=CA, x: y}\n", "no key 'x'"},
      {"includes:\n  - {list: \"https://x.org/v\", document: v, subject: CN=V, issuer: CN=CA, except: [{subject: "
       "CN=M}]}\n",
       "issuer: it is missing"},
  }));
  auto const read = parsed(wrong.rest);
  INFO(wrong.rest);
  REQUIRE_FALSE(read);
  CHECK(read.error().fault == Fault::doc_field);
  CHECK_THAT(read.error().what, Catch::Contains(wrong.says));
}

TEST_CASE("an endorser list has at most 10,000 endorsers and 32 included lists") {
  EndorserList list;
  list.header = parsed("")->header;
  list.includes.assign(32, {"https://x.org/v", "v", "CN=V", "CN=CA", {}});
  list.endorsers.assign(10'000, parsed(endorser(""))->endorsers.at(0));
  CHECK(parse_endorser_list(write(list)));
  list.includes.push_back(list.includes.back());
  CHECK_THAT(parse_endorser_list(write(list)).error().what, Catch::Contains("33 are too many; at most 32"));
  list.includes.clear();
  list.endorsers.push_back(list.endorsers.back());
  CHECK_THAT(parse_endorser_list(write(list)).error().what, Catch::Contains("at most 10000"));
}

TEST_CASE("neither a catalogue nor an approval list is an endorser list") {
  auto const kind = GENERATE("catalogue", "approval-list");
  CHECK(parse_endorser_list(std::string{"document: "} + kind + "\nformat: 1\n").error().fault == Fault::kind_mismatch);
}

}  // namespace
}  // namespace imageswarm::document
