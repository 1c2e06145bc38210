#include "indexer/exchange/hepix_writer.hpp"

#include <catch2/catch.hpp>

#include "indexer/exchange/hepix.hpp"
#include "tests/support/sample_image.hpp"

namespace imageswarm::exchange {
namespace {

auto const now = *parse_time("2026-01-20T00:00:00Z");

HepixHead sample_head() {
  trust::Signer const signer{*trust::DistinguishedName::parse("emailAddress=ada@example.org,CN=Ada,O=A/B"),
                             *trust::DistinguishedName::parse("CN=CA,O=Example"), now};
  return {.title = "lxcloud",
          .contact = "ada@example.org",
          .endorser = "Ada Ünal",
          .base_url = "https://images.example.org/",
          .file_name = "list.smime",
          .signer = signer,
          .created = now,
          .expires = now + std::chrono::days{28}};
}

TEST_CASE("the list that we write is the list that we read") {
  auto image = test::sample_image("debian 12", "3");
  image.description = "Für Gäste";
  image.min_ram_mib = 512;
  auto const text = write_hepix(sample_head(), {image});
  CHECK(std::ranges::all_of(text, [](unsigned char c) { return c < 0x80; }));
  auto const list = parse_hepix(text, sample_head().signer, now);
  if (!list) FAIL(list.error().line());
  CHECK(list->home == "https://images.example.org/list.smime");
  CHECK(list->title == "lxcloud");
  REQUIRE(list->images.size() == 1);
  auto const& read = list->images.front();
  CHECK(read.family == image.uuid);
  CHECK(read.name == image.name);
  CHECK(read.version == image.version);
  CHECK(read.url == "https://images.example.org/images/" + image.torrent.content_name);
  CHECK(read.size == image.content_size);
  CHECK(read.sha512 == image.content_sha512);
  CHECK(read.disk_format == "qcow2");
  CHECK(read.entry.at("description").front() == "Für Gäste");
  CHECK(read.entry.at("min-ram").front() == "512");
  CHECK(read.entry.at("expires").front() == "2026-02-17T00:00:00Z");
}

TEST_CASE("a list keeps its identity and its versions grow") {
  auto head = sample_head();
  auto const first = parse_hepix(write_hepix(head, {}), head.signer, now);
  head.created += std::chrono::seconds{1};
  auto const second = parse_hepix(write_hepix(head, {}), head.signer, now);
  REQUIRE((first && second));
  CHECK(first->id == second->id);
  CHECK(first->version < second->version);
}

}  // namespace
}  // namespace imageswarm::exchange
