#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "common/document/model.hpp"

namespace imageswarm::document {
namespace {

constexpr std::string_view header =
    "document: approval-list\nformat: 1\nname: site\nepoch: 1\nserial: 7\nissued: 2026-01-01T00:00:00Z\n"
    "expires: 2026-01-29T00:00:00Z\n";

Result<ApprovalList> parsed(std::string_view rest) {
  return parse_approval_list(std::string{header} + std::string{rest});
}

TEST_CASE("an approval list goes through its written form unchanged") {
  auto const text = std::string{header} +
                    "approve:\n"
                    "  - endorser: CN=Ada,O=Example\n"
                    "    issuer: CN=CA,O=Example\n"
                    "    name: \"*-12\"\n"
                    "  - vo-tag: atlas\n"
                    "  - all: true\n"
                    "recall:\n"
                    "  - uuid: 6ba7b810-9dad-11d1-80b4-00c04fd430c8\n"
                    "    reason: a hole\n"
                    "  - image-id: 6ba7b811-9dad-11d1-80b4-00c04fd430c8\n"
                    "new-key: x\n";
  auto const read = parse_approval_list(text);
  REQUIRE(read);
  CHECK(write(*read) == text);
  CHECK(read->header.serial == 7);
  CHECK(read->approve.size() == 3);
  CHECK(read->approve[2].all);
  CHECK(read->recall[0].reason == "a hole");
}

TEST_CASE("a list without rules is written so that it is read back") {
  auto const read = parsed("");
  REQUIRE(read);
  CHECK(parse_approval_list(write(*read)));
}

TEST_CASE("a rule that cannot be judged in full refuses the list") {
  struct Wrong {
    std::string_view rules, says;
  };
  auto const wrong = GENERATE(values<Wrong>({
      {"approve:\n  - {vo-tag: atlas, new-key: x}\n", "no key 'new-key'"},
      {"approve:\n  - {}\n", "names nothing"},
      {"approve:\n  - {reason: why}\n", "names nothing"},
      {"approve:\n  -\n", "names nothing"},
      {"recall:\n  - {all: false}\n", "only 'true'"},
      {"recall:\n  - {uuid: x}\n", "uuid: 'x' is not a UUID"},
      {"recall:\n  - {image-id: x}\n", "image-id: "},
      {"approve:\n  - {os-distro: debian}\n", "`select` only"},
      {"approve:\n  - {name: [a]}\n", "name: "},
      {"approve: all\n", "approve: "},
      {"approve:\n  - all\n", "not a map"},
  }));
  auto const read = parsed(wrong.rules);
  INFO(wrong.rules);
  REQUIRE_FALSE(read);
  CHECK(read.error().fault == Fault::doc_field);
  CHECK_THAT(read.error().what, Catch::Contains(std::string{wrong.says}));
}

TEST_CASE("a catalogue is not an approval list") {
  CHECK(parse_approval_list("document: catalogue\nformat: 1\n").error().fault == Fault::kind_mismatch);
}

TEST_CASE("a rule says in one line what it matches") {
  CHECK(parsed("approve:\n  - {endorser: CN=Ada, name: debian-*}\n")->approve[0].describe() ==
        "endorser CN=Ada, name 'debian-*'");
  CHECK(parsed("approve:\n  - {all: true}\n")->approve[0].describe() == "everything");
}

}  // namespace
}  // namespace imageswarm::document
