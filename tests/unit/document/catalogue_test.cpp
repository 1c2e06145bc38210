#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "common/document/model.hpp"
#include "tests/support/sample_image.hpp"

namespace imageswarm::document {
namespace {

Catalogue sample() {
  Catalogue catalogue;
  catalogue.header = {
      Kind::catalogue, 1, "lxcloud", 2, 42, *parse_time("2026-01-01T00:00:00Z"), *parse_time("2026-01-29T00:00:00Z")};
  catalogue.endorser = {"Ada Endorser", "CN=Ada Endorser,O=Example", "ada@example.org"};
  catalogue.trackers = {"http://tracker.example.org:6969/announce"};
  catalogue.web_seeds = {"https://images.example.org/images/"};
  catalogue.images = {test::sample_image("debian-12", "1", "a"), test::sample_image("debian-12", "2", "b")};
  auto const gone = test::sample_image("debian-11", "1", "c");
  catalogue.withdrawn = {{gone.image_id, gone.uuid, *parse_time("2026-01-01T00:00:00Z"), "a hole: CVE"}};
  return catalogue;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  auto const at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST_CASE("a catalogue goes through its written form unchanged") {
  auto const text = write(sample());
  auto const read = parse_catalogue(text);
  REQUIRE(read);
  CHECK(write(*read) == text);
  CHECK(read->header.name == "lxcloud");
  CHECK(read->header.epoch == 2);
  CHECK(read->header.serial == 42);
  CHECK(read->endorser.contact == "ada@example.org");
  CHECK(read->images.size() == 2);
  CHECK(read->withdrawn.at(0).reason == "a hole: CVE");
  CHECK(read->refused.empty());
}

TEST_CASE("the kind stands first and the format second") {
  CHECK_THAT(write(sample()), Catch::StartsWith("document: catalogue\nformat: 1\nname: lxcloud\nepoch: 2\nserial: 42\n"
                                                "issued: 2026-01-01T00:00:00Z\nexpires: 2026-01-29T00:00:00Z\n"
                                                "endorser:\n"));
}

TEST_CASE("keys of newer publishers are kept") {
  auto const text = write(sample()) + "new-key:\n  - a\n";
  auto const read = parse_catalogue(text);
  REQUIRE(read);
  CHECK(write(*read) == text);
}

TEST_CASE("a document that is not what it should be changes nothing") {
  struct Wrong {
    std::string_view from, to;
    Fault fault;
    std::string_view says;
  };
  auto const wrong = GENERATE(values<Wrong>({
      {"document: catalogue", "document: approval-list", Fault::kind_mismatch, "approval-list"},
      {"document: catalogue\n", "", Fault::kind_mismatch, "catalogue"},
      {"format: 1", "format: 2", Fault::doc_format, "upgrade"},
      {"format: 1\n", "", Fault::doc_format, "format"},
      {"format: 1", "format: one", Fault::doc_format, "one"},
      {"name: lxcloud", "name: LXCLOUD", Fault::doc_field, "line 3: name: "},
      {"epoch: 2", "epoch: 0", Fault::doc_field, "line 4: epoch: "},
      {"serial: 42", "serial: 0", Fault::serial_range, "line 5: serial: "},
      {"serial: 42", "serial: 9007199254740992", Fault::serial_range, "serial: "},
      {"serial: 42\n", "", Fault::doc_field, "serial: it is missing"},
      {"issued: 2026-01-01T00:00:00Z\n", "", Fault::doc_field, "issued: it is missing"},
      {"issued: 2026-01-01T", "issued: 2026-01-30T", Fault::doc_field, "line 7: expires: "},
      {"expires: 2026-01-29T00:00:00Z", "expires: tomorrow", Fault::doc_field, "line 7: expires: "},
      {"- http://tracker", "- ftp://tracker", Fault::doc_field, "trackers: "},
      {"/images/\n", "/images\n", Fault::doc_field, "web-seeds: "},
      {"endorser:\n", "endorser: Ada\nother:\n", Fault::doc_field, "endorser: "},
      {"images:\n", "images: {}\nother:\n", Fault::doc_field, "images: "},
      {"withdrawn:\n", "withdrawn: none\nother:\n", Fault::doc_field, "withdrawn: "},
      {"name: debian-12\n", "name: &x debian-12\n", Fault::yaml_anchor, "line "},
      {"    name: debian-12\n", "    name: debian-12\n    name: debian-13\n", Fault::yaml_duplicate_key, "'name'"},
  }));
  INFO(wrong.from << " → " << wrong.to);
  auto const read = parse_catalogue(replaced(write(sample()), wrong.from, wrong.to));
  REQUIRE_FALSE(read);
  CHECK(word(read.error().fault) == word(wrong.fault));
  CHECK_THAT(read.error().what, Catch::Contains(std::string{wrong.says}));
}

TEST_CASE("one bad entry is refused by its name and never blocks the others") {
  struct Wrong {
    std::string_view from, to, says;
  };
  auto const wrong = GENERATE(values<Wrong>({
      {"image-version: 1", "image-version: x", "image 'debian-12': line "},
      {"disk-format: qcow2", "disk-format: exe", "disk-format: 'exe'"},
      {"    endorsed: 2026-01-02T03:04:05Z\n", "", "endorsed: it is missing"},
      {"torrent-layout: file", "torrent-layout: chunks", "chunk-size"},
      {"    disk-format: qcow2\n", "    disk-format: qcow2\n    glance-properties: {owner: me}\n", "owner"},
  }));
  auto const read = parse_catalogue(replaced(write(sample()), wrong.from, wrong.to));
  REQUIRE(read);
  REQUIRE(read->images.size() == 1);
  CHECK(read->images.front().version.text == "2");
  REQUIRE(read->refused.size() == 1);
  auto const& refused = read->refused.front();
  CHECK(refused.name == "debian-12");
  CHECK(refused.image_id == sample().images.front().image_id);
  CHECK(refused.line == 17);
  CHECK_THAT(refused.error.what, Catch::Contains(std::string{wrong.says}));
  CHECK(read->withdrawn.size() == 1);
}

TEST_CASE("an entry that is no map, or names nothing, is refused alone too") {
  auto const read = parse_catalogue(replaced(write(sample()), "images:\n", "images:\n  - text\n  - {a: b}\n  -\n"));
  REQUIRE(read);
  CHECK(read->images.size() == 2);
  CHECK(read->refused.size() == 3);
}

TEST_CASE("a bad withdrawal does not keep the other ones from counting") {
  auto const read =
      parse_catalogue(replaced(write(sample()), "withdrawn:\n", "withdrawn:\n  - {image-id: x, uuid: y, at: z}\n"));
  REQUIRE(read);
  CHECK(read->withdrawn.size() == 1);
  CHECK(read->refused.size() == 1);
}

TEST_CASE("an image that is listed and withdrawn at once is not used") {
  auto catalogue = sample();
  auto const& image = catalogue.images.front();
  catalogue.withdrawn.push_back({image.image_id, image.uuid, image.produced, ""});
  auto const read = parse_catalogue(write(catalogue));
  REQUIRE(read);
  CHECK(read->images.size() == 1);
  CHECK(read->withdrawn.size() == 2);
  REQUIRE(read->refused.size() == 1);
  CHECK(read->refused.front().image_id == image.image_id);
}

TEST_CASE("the same image ID twice refuses the document, also when one of the two is bad") {
  auto catalogue = sample();
  catalogue.images.push_back(catalogue.images.front());
  auto const text = write(catalogue);
  CHECK(parse_catalogue(text).error().fault == Fault::doc_field);
  auto const with_bad = parse_catalogue(replaced(text, "image-version: 1", "image-version: x"));
  REQUIRE_FALSE(with_bad);
  CHECK_THAT(with_bad.error().what, Catch::Contains("listed twice"));
}

TEST_CASE("lists may be left out") {
  auto const read = parse_catalogue(
      "document: catalogue\nformat: 1\nname: a\nserial: 1\nissued: 2026-01-01T00:00:00Z\nexpires: "
      "2026-01-02T00:00:00Z\n");
  REQUIRE(read);
  CHECK(read->header.epoch == 1);
  CHECK(read->images.empty());
}

}  // namespace
}  // namespace imageswarm::document
