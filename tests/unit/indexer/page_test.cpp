#include "indexer/store/page.hpp"

#include <catch2/catch.hpp>

#include "tests/support/sample_image.hpp"

namespace imageswarm::store {
namespace {

using Catch::Contains;

trust::Signer signer() {
  return {*trust::DistinguishedName::parse("CN=O'Hara,O=Example"), *trust::DistinguishedName::parse("CN=CA"), {}};
}

document::Catalogue catalogue() {
  document::Catalogue made;
  made.header = {document::Kind::catalogue,          1, "lxcloud", 1, 7, *parse_time("2026-01-01T00:00:00Z"),
                 *parse_time("2026-02-01T00:00:00Z")};
  made.endorser = {"Ada", "", ""};
  made.images = {test::sample_image("debian", "1")};
  return made;
}

TEST_CASE("the page tells what somebody needs who wants to use an image") {
  auto const shown = catalogue();
  auto const& image = shown.images[0];
  auto const page = catalogue_page(shown, signer());
  CHECK_THAT(page, Contains("debian") && Contains(image.content_sha256.hex()) && Contains(image.image_id.text()) &&
                       Contains("href=\"" + image.torrent.download_url + "\"") && Contains("2026-02-01 00:00 UTC"));
}

TEST_CASE("text of the catalogue is text on the page, never markup") {
  auto shown = catalogue();
  std::string const hostile = "</p><script>alert(1)</script>\"'&";
  shown.endorser.name = shown.endorser.contact = hostile;
  auto& image = shown.images[0];
  image.description = image.os_distro = image.local_endorser = hostile;
  image.vo_tags = image.clusters = {hostile};
  image.torrent.download_url = "\"onclick=\"alert(1)";
  shown.withdrawn = {{image.image_id, image.uuid, shown.header.issued, hostile}};
  auto const page = catalogue_page(shown, signer());
  CHECK_THAT(page, !Contains("<script") && !Contains("\"onclick") && !Contains("</p><s"));
}

TEST_CASE("the page loads nothing from elsewhere") {
  auto const page = catalogue_page(catalogue(), signer());
  CHECK_THAT(page, !Contains("http://") && !Contains("https://") && !Contains("src=") && !Contains("@import"));
}

TEST_CASE("a name with a quote is one argument of the command that verifies") {
  CHECK_THAT(catalogue_page(catalogue(), signer()),
             Contains("--subject &#39;CN=O&#39;\\&#39;&#39;Hara,O=Example&#39;"));
}

TEST_CASE("a catalogue without images says so") {
  auto empty = catalogue();
  empty.images.clear();
  CHECK_THAT(catalogue_page(empty, signer()), Contains("no images at present"));
}

}  // namespace
}  // namespace imageswarm::store
