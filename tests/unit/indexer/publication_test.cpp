#include "indexer/store/publication.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "common/base/file.hpp"
#include "tests/support/sample_image.hpp"
#include "tests/support/temporary_directory.hpp"

namespace imageswarm::store {
namespace {

/// A store with one image of each version, with their files.
class Publisher {
public:
  Publisher() {
    REQUIRE(Store::create(root_.path(), {"lxcloud", "Ada", "", {}, {}}));
    store_.emplace(*Store::open(root_.path(), Access::write));
  }
  Store& store() { return *store_; }
  fs::path shown(std::string const& name) const { return root_.path() / "public" / name; }
  std::string text(std::string const& name) const { return read_file(shown(name), 1_MiB).value_or("absent"); }

  document::Image add(std::string const& version, State state = State::endorsed) {
    Item item;
    item.image = test::sample_image("debian", version, "content " + version);
    item.state = state;
    std::ofstream{store_->artefact(item.image)} << "artefact " << version;
    std::ofstream{store_->torrent(item.image)} << "torrent " << version;
    REQUIRE(store_->save(item));
    return item.image;
  }
  document::Image add_chunks(std::string const& version, std::uint32_t count) {
    auto image = add(version);
    fs::remove(store_->artefact(image));
    fs::create_directory(store_->artefact(image));
    for (std::uint32_t i = 0; i < count; ++i) std::ofstream{store_->artefact(image) / document::chunk_name(i)} << i;
    image.torrent.compression = document::Compression::zstd;
    image.torrent.chunks = document::Chunks{64_KiB, count};
    return image;
  }
  void withdraw(document::Image const& image) {
    Item item;
    item.image = image;
    item.state = State::withdrawn;
    REQUIRE(store_->save(item));
  }
  bool has(document::Image const& image) const {
    return fs::exists(shown("images/" + image.torrent.content_name)) &&
           fs::exists(shown("torrents/" + image.torrent.name));
  }

private:
  test::TemporaryDirectory root_;
  std::optional<Store> store_;
};

TEST_CASE("a publication shows its catalogue, its page and the files of its images, and keeps the archive") {
  Publisher publisher;
  auto const image = publisher.add("1");
  REQUIRE(put_up(publisher.store(), {1, "first", "page", {image}}));
  REQUIRE(put_up(publisher.store(), {2, "second", "page 2", {image}}));
  CHECK(publisher.text("catalogue.yaml") == "second");
  CHECK(publisher.text("catalogue.html") == "page 2");
  CHECK(publisher.has(image));
  CHECK(fs::equivalent(publisher.shown("images/" + image.torrent.content_name), publisher.store().artefact(image)));
  CHECK(*read_file(publisher.store().archive() / "catalogue-1.yaml", 1_MiB) == "first");
  CHECK(*read_file(publisher.store().archive() / "catalogue-2.yaml", 1_MiB) == "second");
}

TEST_CASE("two publications within a second are two to a web server, which tells them apart by second and size") {
  Publisher publisher;
  auto const second = [&](std::string const& name) {
    struct stat status {};
    REQUIRE(::stat(publisher.shown(name).c_str(), &status) == 0);
    return status.st_mtim.tv_sec;
  };
  for (std::uint64_t serial = 1; serial <= 3; ++serial) {
    auto const before = serial == 1 ? 0 : second("catalogue.yaml");
    REQUIRE(put_up(publisher.store(), {serial, "same size", "page", {}}));
    CHECK(second("catalogue.yaml") > before);
  }
}

TEST_CASE("the files of a withdrawn image go, and what is not ours stays") {
  Publisher publisher;
  auto const gone = publisher.add("1"), kept = publisher.add("2");
  REQUIRE(put_up(publisher.store(), {1, "first", "page", {gone, kept}}));
  std::ofstream{publisher.shown("images/README")} << "by hand";
  publisher.withdraw(gone);
  REQUIRE(put_up(publisher.store(), {2, "second", "page", {kept}}));
  CHECK_FALSE(publisher.has(gone));
  CHECK_FALSE(fs::exists(publisher.store().artefact(gone)));
  CHECK(publisher.has(kept));
  CHECK(publisher.text("images/README") == "by hand");
}

TEST_CASE("a directory of chunks is shown whole, mended when it is not, and goes with its image") {
  Publisher publisher;
  auto const image = publisher.add_chunks("1", 3);
  auto const shown = publisher.shown("images/" + image.torrent.content_name);
  fs::create_directories(shown / "000001.zst");  // something in the way
  REQUIRE(put_up(publisher.store(), {1, "first", "page", {image}}));
  for (std::uint32_t i = 0; i < 3; ++i) {
    CHECK(fs::equivalent(shown / document::chunk_name(i), publisher.store().artefact(image) / document::chunk_name(i)));
  }
  fs::remove(shown / "000002.zst");
  REQUIRE(put_up(publisher.store(), {2, "second", "page", {image}}));
  CHECK(fs::exists(shown / "000002.zst"));
  publisher.withdraw(image);
  REQUIRE(put_up(publisher.store(), {3, "third", "page", {}}));
  CHECK_FALSE(fs::exists(shown));
  CHECK_FALSE(fs::exists(publisher.store().artefact(image)));
}

TEST_CASE("a publication that fails at any step leaves the old catalogue with every file that it names") {
  Publisher publisher;
  auto const old = publisher.add("1");
  REQUIRE(put_up(publisher.store(), {1, "first", "page", {old}}));
  auto const fresh = publisher.add("2");
  publisher.withdraw(old);
  // A directory that is not empty cannot be replaced by a file: the step that writes there fails.
  auto const obstacle =
      GENERATE(as<std::string>{}, "public/.tracker-whitelist.next.tmp", "public/.catalogue.html.next.tmp",
               "public/.catalogue.yaml.next.tmp", "archive/catalogue-2.yaml", "public/torrents/FRESH");
  auto where = publisher.store().root() / obstacle;
  if (where.filename() == "FRESH") where.replace_filename(fresh.torrent.name);
  fs::create_directories(where / "full");

  REQUIRE_FALSE(put_up(publisher.store(), {2, "second", "page 2", {fresh}}));
  CHECK(publisher.text("catalogue.yaml") == "first");
  CHECK(publisher.text("catalogue.html") == "page");
  CHECK(publisher.has(old));

  fs::remove_all(where);
  REQUIRE(put_up(publisher.store(), {3, "third", "page 3", {fresh}}));
  CHECK(publisher.text("catalogue.yaml") == "third");
  CHECK(publisher.has(fresh));
  CHECK_FALSE(publisher.has(old));
}

TEST_CASE("an artefact that is missing stops the publication before anything changes") {
  Publisher publisher;
  auto const image = publisher.add("1");
  fs::remove(publisher.store().artefact(image));
  auto const shown = put_up(publisher.store(), {1, "first", "page", {image}});
  REQUIRE_FALSE(shown);
  CHECK(shown.error().fault == Fault::not_found);
  CHECK(publisher.text("catalogue.yaml") == "absent");
}

TEST_CASE("the tracker's white list has where hosts meet, one short hash per torrent and both of a hybrid") {
  std::string const meeting_point = "a27e36c5b65ef0c79d14ac5ef21dd98d3f6c0bd7\n";
  auto v2 = test::sample_image("a"), hybrid = test::sample_image("b");
  v2.torrent.info_hash_v2 = *Sha256::parse(std::string(64, '2'));
  hybrid.torrent.info_hash_v2 = *Sha256::parse(std::string(64, '3'));
  hybrid.torrent.info_hash_v1 = *Sha1::parse(std::string(40, '1'));
  CHECK(tracker_whitelist({v2, hybrid}) ==
        std::string(40, '1') + "\n" + std::string(40, '2') + "\n" + std::string(40, '3') + "\n" + meeting_point);
  CHECK(tracker_whitelist({}) == meeting_point);
}

}  // namespace
}  // namespace imageswarm::store
