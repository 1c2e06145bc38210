#include "indexer/exchange/cern.hpp"

#include <catch2/catch.hpp>

namespace imageswarm::exchange {
namespace {

using Catch::Matchers::Contains;

std::string const sample = R"(torrent-id_1:
  torrent-name: worker_42.img.gz.torrent
  torrent-file-sha1: 0a1b2c3d4e5f60718293a4b5c6d7e8f901234567
  download-url: https://images.example.org/torrents/worker_42.img.gz.torrent
  torrent-content-name: worker_42.img.gz
  torrent-content-size: 2.10 GBs
  torrent-creation-time: Sat, 10 Jan 2026 08:00:00 +0000
  torrent-content-compressed: Y
  volume-name: worker
  volume-size: 30GB
  image-version: 42
  distribution-hosts:
  distribution-subcluster: kvm
  distribution-cluster: example
  uuid: build1.example.org_worker_42.img.gz_0a1b2c
  local-endorser: Ada Endorser
x509-signature: BASE64
)";

std::string replaced(std::string_view what, std::string_view with) {
  auto text = sample;
  auto const at = text.find(what);
  REQUIRE(at != text.npos);
  return text.replace(at, what.size(), with);
}

TEST_CASE("the example of CERN's index is read in our words") {
  auto const list = parse_cern(sample);
  if (!list) FAIL(list.error().line());
  CHECK(list->signer.empty());
  CHECK(list->warnings.size() == 1);
  REQUIRE(list->images.size() == 1);
  auto const& image = list->images.front();
  CHECK(image.family == Uuid::named(*Uuid::parse("c0a2b1de-40b6-4b39-9c1e-7f5d1f7c2010"),
                                    "build1.example.org_worker_42.img.gz_0a1b2c"));
  CHECK(image.name == "worker");
  CHECK(image.version.text == "42");
  CHECK(image.url == "https://images.example.org/torrents/worker_42.img.gz");
  CHECK(image.file == "worker_42.img.gz");
  CHECK(image.packed == document::Compression::gzip);
  CHECK(image.unpacked_at_most == ByteCount{30'000'000'000});
  CHECK(image.torrent->name == "worker_42.img.gz.torrent");
  CHECK(image.torrent->sha1.hex() == "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567");
  using Entry = decltype(image.entry);
  CHECK(image.entry == Entry{{"volume-name", {"worker"}},
                             {"volume-size", {"30000000000"}},
                             {"local-endorser", {"Ada Endorser"}},
                             {"distribution-cluster", {"example"}},
                             {"distribution-subcluster", {"kvm"}},
                             {"produced", {"2026-01-10T08:00:00Z"}}});
}

TEST_CASE("hosts are a list or several words, and a uuid that is one stays") {
  auto text = replaced("distribution-hosts:", "distribution-hosts: [hv1, hv2]");
  CHECK(parse_cern(text)->images.front().entry.at("distribution-hosts") == std::vector<std::string>{"hv1", "hv2"});
  text = replaced("distribution-hosts:", "distribution-hosts: hv1, hv2");
  CHECK(parse_cern(text)->images.front().entry.at("distribution-hosts") == std::vector<std::string>{"hv1", "hv2"});
  text = replaced("build1.example.org_worker_42.img.gz_0a1b2c", "7C0F2F9E-5a3b-4d0e-9a52-3b1d1c6e8f01");
  CHECK(parse_cern(text)->images.front().family.text() == "7c0f2f9e-5a3b-4d0e-9a52-3b1d1c6e8f01");
  text = replaced("compressed: Y", "compressed: N");
  CHECK(parse_cern(text)->images.front().packed == document::Compression::none);
}

TEST_CASE("an entry that cannot be used is skipped") {
  struct Row {
    char const* what;
    char const* with;
  };
  auto const row = GENERATE(values<Row>({{"torrent-file-sha1: 0a", "torrent-file-sha1: xx"},
                                         {"  torrent-file-sha1", "  other"},
                                         {"content-name: worker_42.img.gz", "content-name: ../worker.gz"},
                                         {"torrent-name: worker_42.img.gz.torrent", "torrent-name: a/b.torrent"},
                                         {"https://images", "file:///images"},
                                         {"volume-size: 30GB", "volume-size: plenty"},
                                         {"volume-name: worker", "volume-name: /dev/sda"},
                                         {"image-version: 42", "image-version: new"},
                                         {"content-name: worker_42.img.gz", "content-name: worker_42.img.bz2"}}));
  INFO(row.with);
  auto const list = parse_cern(replaced(row.what, row.with));
  REQUIRE(list);
  CHECK(list->images.empty());
  REQUIRE(list->skipped.size() == 1);
  CHECK_THAT(list->skipped.front(), Contains("torrent-id_1"));
}

TEST_CASE("what is no index is refused") {
  CHECK(parse_cern("a: 1\n").error().fault == Fault::import_format);
  CHECK(parse_cern("torrent-id_1: &a [*a]\n").error().fault == Fault::yaml_anchor);
}

}  // namespace
}  // namespace imageswarm::exchange
