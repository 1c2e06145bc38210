#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "daemon/sinks/sink.hpp"
#include "tests/support/appliances.hpp"

namespace imageswarm::sinks {
namespace {

namespace fs = std::filesystem;

std::string disk_with_a_hole() {
  return "first" + std::string(1 << 20, '\0') + "last" + std::string(100'000, '\0');
}

/// A raw image with a hole if nothing else is asked for, its artefact, and a directory sink.
class Example {
public:
  explicit Example(std::string what = disk_with_a_hole()) : content{std::move(what)} {
    std::string name = fs::temp_directory_path() / "imageswarm-directory-XXXXXX";
    root_ = ::mkdtemp(name.data());
    std::ofstream{root_ / "artefact", std::ios::binary} << content;
    auto& image = want.image;
    image.image_id = Uuid::random();
    image.disk_format = "raw";
    image.content_size = image.torrent.content_size = ByteCount{content.size()};
    image.content_sha256 = image.torrent.content_sha256 = digest_of<Sha256>(content);
    image.content_sha512 = digest_of<Sha512>(content);
    flow::SinkSettings settings;
    settings.type = "directory";
    fs::create_directory(root_ / "images");
    settings.path = root_ / "images" / "";
    sink = make_directory_sink(settings).value();
  }
  ~Example() { fs::remove_all(root_); }

  Result<flow::Receipt> put(std::stop_token const& stop = {}) {
    auto const artefact = flow::verify_artefact(root_ / "artefact", want.image, {});
    REQUIRE(artefact);
    return sink->put(want, *artefact, {}, stop);
  }
  Result<std::optional<flow::Receipt>> find(std::stop_token const& stop = {}) {
    return sink->find(want, nullptr, stop);
  }
  flow::Retired retire() {
    auto retired = sink->retire(want, flow::Retirement::recalled, {});
    REQUIRE(retired);
    return *retired;
  }
  static std::stop_token stopped() {
    std::stop_source stop;
    stop.request_stop();
    return stop.get_token();
  }
  fs::path directory() const { return root_ / "images"; }
  fs::path file() const { return directory() / (want.image.image_id.text() + ".raw"); }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator{directory()}, fs::directory_iterator{}));
  }

  flow::Want want;
  std::string content;
  std::unique_ptr<Sink> sink;

private:
  fs::path root_;
};

std::string content_of(fs::path const& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

TEST_CASE("an image becomes a file with holes, and is found there") {
  Example example;
  CHECK_FALSE(example.sink->find(example.want, nullptr, {}).value());
  auto const receipt = example.put().value();
  CHECK(receipt.reference == example.file().native());
  CHECK(receipt.uploaded_here);
  CHECK(content_of(example.file()) == example.content);
  struct stat status {};
  REQUIRE(::stat(example.file().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0644);
  CHECK(status.st_blocks * 512 < 300'000);
  CHECK(example.files() == 1);
  CHECK(example.sink->find(example.want, nullptr, {}).value()->reference == receipt.reference);
  CHECK_FALSE(example.put().value().uploaded_here);
}

TEST_CASE("an appliance becomes a file of its own kind, if it was signed as one") {
  Example example{test::Ova{}.packed()};
  example.want.image.disk_format = "vmdk";
  CHECK(example.put().error().fault == Fault::image_format_mismatch);
  CHECK(example.files() == 0);
  example.want.image.container_format = "ova";
  CHECK(fs::path{example.put().value().reference}.extension() == ".ova");
}

TEST_CASE("a file that was changed is not the image, and is made anew") {
  Example example;
  REQUIRE(example.put());
  auto const changed = GENERATE(as<std::string>{}, "x", "same size");
  {
    std::fstream file{example.file(), std::ios::in | std::ios::out | std::ios::binary};
    if (changed == "x") fs::resize_file(example.file(), 1);
    file << "F";
  }
  CHECK_FALSE(example.sink->find(example.want, nullptr, {}).value());
  CHECK(example.put().value().uploaded_here);
  CHECK(content_of(example.file()) == example.content);
}

TEST_CASE("content that is not what was signed leaves nothing behind") {
  Example example;
  example.want.image.content_sha512 = digest_of<Sha512>("other");
  CHECK(example.put().error().fault == Fault::hash_mismatch);
  CHECK(example.files() == 0);
}

TEST_CASE("stopping leaves nothing behind") {
  Example example;
  std::stop_source stop;
  stop.request_stop();
  CHECK(example.put(stop.get_token()).error().fault == Fault::cancelled);
  CHECK(example.files() == 0);
}

TEST_CASE("an image that does not fit is refused before a byte is written") {
  Example example;
  example.want.image.content_size = ByteCount{1ull << 60};
  auto const refused = example.put();
  CHECK(refused.error().fault == Fault::disk_full);
  CHECK_THAT(refused.error().what, Catch::Contains("free"));
  CHECK(example.files() == 0);
}

TEST_CASE("an image that is taken out of use is removed, and what is gone already is fine") {
  Example example;
  REQUIRE(example.put());
  std::ofstream{example.directory() / "notes.raw"} << "mine";
  auto const removed = example.retire();
  CHECK(removed.effect == flow::Effect::removed);
  CHECK(removed.reference == example.file().native());
  CHECK_FALSE(fs::exists(example.file()));
  CHECK(example.retire().effect == flow::Effect::absent);
  CHECK(example.files() == 1);
}

TEST_CASE("an image that a virtual machine has locked stays until it is free") {
  Example example;
  REQUIRE(example.put());
  UniqueFd machine{::open(example.file().c_str(), O_RDONLY | O_CLOEXEC)};
  struct flock byte {};
  byte.l_type = F_RDLCK;
  byte.l_start = 100;  // as qemu does for the permissions that it has
  byte.l_len = 1;
  REQUIRE(::fcntl(machine.get(), F_OFD_SETLK, &byte) == 0);
  auto const kept = example.retire();
  CHECK(kept.effect == flow::Effect::in_use);
  CHECK_THAT(kept.used_by, Catch::Contains("lock"));
  CHECK(fs::exists(example.file()));
  machine = UniqueFd{};
  CHECK(example.retire().effect == flow::Effect::removed);
}

TEST_CASE("an image that anybody has open, or that has a second name, stays until it is free") {
  Example example;
  REQUIRE(example.put());
  {
    std::ifstream const reader{example.file()};
    auto const kept = example.retire();
    CHECK(kept.effect == flow::Effect::in_use);
    CHECK_THAT(kept.used_by, Catch::Contains("open"));
  }
  fs::create_hard_link(example.file(), example.directory() / "another");
  auto const kept = example.retire();
  CHECK(kept.effect == flow::Effect::in_use);
  CHECK_THAT(kept.used_by, Catch::Contains("another name"));
  fs::remove(example.directory() / "another");
  CHECK(example.retire().effect == flow::Effect::removed);
}

TEST_CASE("a file that did not change since it was compared is not read again") {
  Example example;
  REQUIRE(example.put());
  CHECK(example.find(example.stopped()).error().fault == Fault::cancelled);  // it would have to be read
  REQUIRE(example.find().value());
  CHECK(example.find(example.stopped()).value());
  std::fstream{example.file(), std::ios::in | std::ios::out | std::ios::binary} << "f";
  CHECK(example.find(example.stopped()).error().fault == Fault::cancelled);
  auto const now = fs::last_write_time(example.file());
  REQUIRE(example.find().value());
  std::fstream{example.file(), std::ios::in | std::ios::out | std::ios::binary} << "F";
  fs::last_write_time(example.file(), now);
  CHECK_FALSE(example.find().value());
}

TEST_CASE("a directory that is not there is not made, and nothing in it counts as removed") {
  Example example;
  REQUIRE(example.put());
  fs::rename(example.directory(), example.directory().native() + "-unmounted");
  for (auto const& error : {example.find().error(), example.put().error(),
                            example.sink->retire(example.want, flow::Retirement::recalled, {}).error()}) {
    CHECK(error.fault == Fault::not_found);
    CHECK_THAT(error.what, Catch::Contains("mkdir -p " + example.directory().native()));
  }
  CHECK_FALSE(fs::exists(example.directory()));
}

TEST_CASE("what a crash left behind is cleaned up, and nothing else") {
  Example example;
  REQUIRE(example.put());
  std::ofstream{example.directory() / ("." + Uuid::random().text() + ".raw.abcdef.tmp")} << "half";
  std::ofstream{example.directory() / ".others.tmp"} << "theirs";
  CHECK(example.sink->clean_up({}));
  CHECK(example.files() == 2);
  CHECK(fs::exists(example.directory() / ".others.tmp"));
}

TEST_CASE("a directory sink needs an absolute path") {
  flow::SinkSettings settings;
  settings.path = "images";
  CHECK(make_directory_sink(settings).error().fault == Fault::config_value);
}

}  // namespace
}  // namespace imageswarm::sinks
