#include "daemon/subscription/fetch.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

#include "common/base/file.hpp"

namespace imageswarm::subscription {
namespace {

struct Directory {
  std::filesystem::path path;
  Directory() {
    std::string name = "/tmp/imageswarm-fetch-XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~Directory() { std::filesystem::remove_all(path); }
};

flow::Want want_from(std::filesystem::path const& catalogue, std::string download_url, ByteCount size) {
  flow::Want want;
  want.provenance.catalogue_url = catalogue;
  want.torrent_url = std::move(download_url);
  want.image.torrent.file_size = size;
  return want;
}

TEST_CASE("a local catalogue is read from its path and from its file URL") {
  Directory const directory;
  auto const file = directory.path / "catalogue.yaml";
  REQUIRE(write_file_atomically(file, "document: catalogue\n"));
  CHECK(fetch_document(file.native(), "", {})->bytes == "document: catalogue\n");
  CHECK(fetch_document("file://" + file.native(), "", {})->bytes == "document: catalogue\n");
  CHECK(fetch_document((directory.path / "other").native(), "", {}).error().fault == Fault::not_found);
}

TEST_CASE("the torrent of a local catalogue is found beside it, and nowhere else") {
  Directory const directory;
  REQUIRE(make_directories(directory.path / "public/torrents"));
  REQUIRE(write_file_atomically(directory.path / "public/torrents/a.torrent", "d4:infoe"));
  REQUIRE(write_file_atomically(directory.path / "secret", "root"));
  auto const catalogue = directory.path / "public/catalogue.yaml";
  CHECK(*fetch_torrent(want_from(catalogue, "torrents/a.torrent", 100_KiB), {}) == "d4:infoe");
  for (auto const* url : {"../secret", "torrents/../../secret", "torrents//a.torrent", "file:///etc/passwd"}) {
    INFO(url);
    auto const fetched = fetch_torrent(want_from(catalogue, url, 100_KiB), {});
    REQUIRE_FALSE(fetched);
    CHECK(fetched.error().fault == Fault::http_scheme);
  }
}

TEST_CASE("a torrent that is larger than was signed is not read to its end") {
  Directory const directory;
  REQUIRE(write_file_atomically(directory.path / "a.torrent", std::string(1000, 'x')));
  auto const fetched = fetch_torrent(want_from(directory.path / "catalogue.yaml", "a.torrent", ByteCount{999}), {});
  REQUIRE_FALSE(fetched);
  CHECK(fetched.error().fault == Fault::too_large);
}

}  // namespace
}  // namespace imageswarm::subscription
