#include <catch2/catch.hpp>
#include <string>

#include "common/base/file.hpp"
#include "common/trust/envelope.hpp"
#include "common/trust/verify.hpp"

using namespace imageswarm;
using namespace imageswarm::trust;

// The documents of docs/formats.md, "Examples": signed once, by keys that nobody has any more. What reads format 1
// reads them, today and in every later version, so they are never made anew.

namespace {

std::string const directory = std::string{IMAGESWARM_SOURCE_DIR} + "/tests/data/documents/";

AnchorPolicy const anchors{.anchors = directory + "anchors.pem"};

std::string kept(std::string const& name) {
  auto bytes = read_file(directory + name, document::max_document_size);
  REQUIRE(bytes);
  return std::move(*bytes);
}

/// While they are valid; they were made on 2026-11-20 for 28 days.
Time at(std::string_view time) {
  return {.now = parse_time(time).value(), .floor = {}};
}

Expectation expected(document::Kind kind, std::string_view signer) {
  return {.kind = kind,
          .signers = {{DistinguishedName::parse(signer).value(),
                       DistinguishedName::parse("CN=Example CA,O=Example").value()}},
          .elsewhere = {},
          .name = {},
          .epoch = 1};
}

}  // namespace

TEST_CASE("the kept catalogue of format 1 is read as it was meant") {
  auto const bytes = kept("catalogue.yaml");
  auto const expects = expected(document::Kind::catalogue, "CN=Ada Endorser,O=Example");
  auto const catalogue = verify_catalogue(bytes, anchors, expects, {}, at("2026-12-01T00:00:00Z"));
  if (!catalogue) FAIL(catalogue.error().line());
  auto const& content = catalogue->content();
  CHECK(content.refused.empty());
  REQUIRE(content.images.size() == 1);
  CHECK(content.images[0].name == "debian-12");
  CHECK(content.images[0].image_id.text() == "70052394-c699-5c62-b8f4-c000284847fb");
  CHECK(document::write(content) == open_envelope(bytes)->body);

  auto const late = verify_catalogue(bytes, anchors, expects, {}, at("2026-12-18T10:57:02Z"));
  REQUIRE_FALSE(late);
  CHECK(late.error().fault == Fault::doc_expired);
}

TEST_CASE("the kept approval list of format 1 is read as it was meant") {
  auto const bytes = kept("approval-list.yaml");
  auto const list =
      verify_approval_list(bytes, anchors, expected(document::Kind::approval_list, "CN=Site Security,O=Example"), {},
                           at("2026-12-01T00:00:00Z"));
  if (!list) FAIL(list.error().line());
  REQUIRE(list->content().approve.size() == 1);
  REQUIRE(list->content().recall.size() == 1);
  CHECK(list->content().recall[0].reason == "root password in the image");
  CHECK(document::write(list->content()) == open_envelope(bytes)->body);
}

TEST_CASE("the kept endorser list of format 1 is read as it was meant") {
  auto const bytes = kept("endorser-list.yaml");
  auto const list =
      verify_endorser_list(bytes, anchors, expected(document::Kind::endorser_list, "CN=Site Security,O=Example"), {},
                           at("2026-12-01T00:00:00Z"));
  if (!list) FAIL(list.error().line());
  REQUIRE(list->content().endorsers.size() == 1);
  CHECK(list->content().endorsers[0].document == "lxcloud");
  CHECK(document::write(list->content()) == open_envelope(bytes)->body);
}
