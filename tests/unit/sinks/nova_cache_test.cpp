#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "daemon/sinks/glance_record.hpp"
#include "daemon/sinks/sink.hpp"

namespace imageswarm::sinks {
namespace {

namespace fs = std::filesystem;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""h;

/// A raw image with a hole, its artefact, and Nova's instances_path with a sink for the cache in it.
class Example {
public:
  Example() {
    std::string name = fs::temp_directory_path() / "imageswarm-nova-XXXXXX";
    root_ = ::mkdtemp(name.data());
    fs::create_directories(cache());
    signs("first" + std::string(1 << 20, '\0') + "last" + std::string(100'000, '\0'));
    want.image.image_id = *Uuid::parse("7c0f2f9e-5a3b-4d0e-9a52-3b1d1c6e8f01");
    settings.type = "nova-cache";
    settings.directory = cache();
    settings.group = std::to_string(::getegid());
    settings.manager_interval = 100s;
    sink = make_nova_cache_sink(settings).value();
  }
  ~Example() { fs::remove_all(root_); }

  void signs(std::string const& content) {
    std::ofstream{root_ / "artefact", std::ios::binary} << content;
    auto& image = want.image;
    image.disk_format = "raw";
    image.content_size = image.torrent.content_size = ByteCount{content.size()};
    image.content_sha256 = image.torrent.content_sha256 = digest_of<Sha256>(content);
    image.content_sha512 = digest_of<Sha512>(content);
  }
  Result<flow::Receipt> put(std::stop_token const& stop = {}) {
    auto const artefact = flow::verify_artefact(root_ / "artefact", want.image, {});
    REQUIRE(artefact);
    return sink->put(want, *artefact, {}, stop);
  }
  Result<std::optional<flow::Receipt>> find() { return sink->find(want, nullptr, {}); }
  flow::Retired retire() {
    auto retired = sink->retire(want, flow::Retirement::recalled, {});
    REQUIRE(retired);
    return *retired;
  }
  fs::path cache() const { return root_ / "instances" / "_base"; }
  fs::path file() const { return cache() / "b963f8a1d0c210b093c7a95bde7fc2bbf95d331f"; }
  fs::path instance_disk() const { return root_ / "instances" / "an-instance" / "disk"; }
  void age(std::chrono::seconds by) const { fs::last_write_time(file(), fs::file_time_type::clock::now() - by); }
  std::chrono::seconds age() const {
    return std::chrono::duration_cast<std::chrono::seconds>(fs::file_time_type::clock::now() -
                                                            fs::last_write_time(file()));
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator{cache()}, fs::directory_iterator{}));
  }

  flow::Want want;
  flow::SinkSettings settings;
  std::unique_ptr<Sink> sink;

private:
  fs::path root_;
};

std::string content_of(fs::path const& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

void write(fs::path const& path, std::string const& content) {
  fs::create_directories(path.parent_path());
  std::ofstream{path, std::ios::binary} << content;
}

/// The beginning of a qcow2 with a backing file.
std::string overlay(std::string const& backing_file) {
  std::string content(512, '\0');
  content.replace(0, 8, std::string{"QFI\xfb\0\0\0\3", 8});
  content[14] = 1;  // offset 0x100
  content[19] = static_cast<char>(backing_file.size());
  content.replace(256, backing_file.size(), backing_file);
  return content;
}

TEST_CASE("a raw image becomes the file that Nova looks for, with holes, and is found there") {
  Example example;
  CHECK_FALSE(example.find().value());
  auto const receipt = example.put().value();
  CHECK(receipt.reference == example.file().native());
  CHECK(receipt.sink_type == "nova-cache");
  CHECK(receipt.uploaded_here);
  CHECK(digest_of<Sha256>(content_of(example.file())) == example.want.image.content_sha256);
  struct stat status {};
  REQUIRE(::stat(example.file().c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0644);
  CHECK(status.st_gid == ::getegid());
  CHECK(status.st_blocks * 512 < 300'000);
  CHECK(example.files() == 1);
  CHECK(example.find().value()->reference == receipt.reference);
}

TEST_CASE("the file has the name of the ID that Glance has given the image, and goes under whatever name it lies") {
  Example example;
  REQUIRE(example.put());
  auto const first = example.file();
  example.want.glance_id = attempt_id(example.want.image.image_id, 2).text();
  CHECK_FALSE(example.find().value());
  auto const receipt = example.put().value();
  CHECK(receipt.reference == (example.cache() / digest_of<Sha1>(example.want.glance_id).hex()).native());
  REQUIRE(example.find().value());
  CHECK(fs::exists(first));  // Nova may need it
  example.age(1h);
  CHECK(example.find().value()->reference == receipt.reference);
  CHECK_FALSE(fs::exists(first));
  example.want.glance_id.clear();
  CHECK(example.retire().effect == flow::Effect::in_use);
  fs::last_write_time(receipt.reference, fs::file_time_type::clock::now() - 1h);
  CHECK(example.retire().effect == flow::Effect::removed);
  CHECK(example.files() == 0);
}

TEST_CASE("a file has the group of the cache, and a group that is not ours is a fault that names it") {
  Example example;
  gid_t groups[64];
  auto const count = ::getgroups(64, groups);
  if (::geteuid() == 0) {
    example.settings.group = "4711";
    example.sink = make_nova_cache_sink(example.settings).value();
    REQUIRE(example.put());
    struct stat status {};
    REQUIRE(::stat(example.file().c_str(), &status) == 0);
    CHECK(status.st_gid == 4711);
    return;
  }
  REQUIRE(std::find(groups, groups + count, 0) == groups + count);
  example.settings.group = "root";
  example.sink = make_nova_cache_sink(example.settings).value();
  CHECK(example.put().error().fault == Fault::permission);
  CHECK_THAT(example.put().error().what, Catch::Contains("not in the group root"));
}

TEST_CASE("a group that does not exist is a fault that names it") {
  Example example;
  example.settings.group = "no-such-group";
  example.sink = make_nova_cache_sink(example.settings).value();
  CHECK(example.find().error().fault == Fault::not_found);
  CHECK_THAT(example.find().error().what, Catch::Contains("no-such-group"));
}

TEST_CASE("content that is not what was signed leaves nothing in the cache") {
  Example example;
  example.want.image.content_sha512 = digest_of<Sha512>("other");
  CHECK(example.put().error().fault == Fault::hash_mismatch);
  CHECK(example.files() == 0);
}

TEST_CASE("what Nova made of the image counts, whoever it belongs to") {
  Example example;
  REQUIRE(example.put());
  auto const made = fs::last_write_time(example.file());
  auto const receipt = example.put().value();
  CHECK_FALSE(receipt.uploaded_here);
  CHECK(fs::last_write_time(example.file()) == made);
  CHECK(example.files() == 1);
}

TEST_CASE("a file of that name that is not the image is replaced only when nobody needs it") {
  Example example;
  write(example.file(), "another");
  auto const kept = example.put();
  CHECK(kept.error().fault == Fault::exists);
  CHECK_THAT(kept.error().what, Catch::Contains("in use"));
  CHECK(content_of(example.file()) == "another");
  CHECK(example.files() == 1);
  example.age(300s);
  CHECK(example.put().value().uploaded_here);
}

TEST_CASE("the time stamp is renewed before Nova takes the file for unused, and only then") {
  Example example;
  REQUIRE(example.put());
  example.age(5h);
  REQUIRE(example.find().value());
  CHECK(example.age() > 4h);
  example.age(7h);
  REQUIRE(example.find().value());
  CHECK(example.age() < 60s);
}

TEST_CASE("a file that Nova renewed lately stays, and goes when Nova did not for two passes") {
  Example example;
  REQUIRE(example.put());
  example.age(150s);
  auto const kept = example.retire();
  CHECK(kept.effect == flow::Effect::in_use);
  CHECK_THAT(kept.used_by, Catch::Contains("Nova"));
  CHECK(fs::exists(example.file()));
  example.age(201s);
  CHECK(example.retire().effect == flow::Effect::removed);
  CHECK_FALSE(fs::exists(example.file()));
  CHECK(example.retire().effect == flow::Effect::absent);
}

TEST_CASE("a file that the disk of an instance stands on stays, even when the instance is off") {
  Example example;
  REQUIRE(example.put());
  example.age(1h);
  write(example.instance_disk(), overlay(example.file().native()));
  auto const kept = example.retire();
  CHECK(kept.effect == flow::Effect::in_use);
  CHECK_THAT(kept.used_by, Catch::Contains("an-instance"));
  write(example.instance_disk(), overlay(example.file().native() + "0"));
  CHECK(example.retire().effect == flow::Effect::removed);
}

TEST_CASE("where the disk of an instance cannot be read, the file stays") {
  Example example;
  REQUIRE(example.put());
  example.age(1h);
  fs::create_directories(example.instance_disk().parent_path());
  fs::create_symlink("nowhere", example.instance_disk());  // root reads everything else
  auto const kept = example.retire();
  CHECK(kept.effect == flow::Effect::in_use);
  CHECK_THAT(kept.used_by, Catch::Contains("cannot be read"));
}

TEST_CASE("a file that is open or locked stays until it is free") {
  Example example;
  REQUIRE(example.put());
  example.age(1h);
  {
    UniqueFd const machine{::open(example.file().c_str(), O_RDONLY | O_CLOEXEC)};
    CHECK_THAT(example.retire().used_by, Catch::Contains("open"));
    struct flock byte {};
    byte.l_type = F_RDLCK;
    byte.l_start = 100;  // as qemu does for the permissions that it has
    byte.l_len = 1;
    REQUIRE(::fcntl(machine.get(), F_OFD_SETLK, &byte) == 0);
    CHECK_THAT(example.retire().used_by, Catch::Contains("lock"));
  }
  CHECK(example.retire().effect == flow::Effect::removed);
}

TEST_CASE("what a crash left in the cache is cleaned up, and nothing of Nova's") {
  Example example;
  REQUIRE(example.put());
  auto const id = example.file().filename().native();
  write(example.cache() / ("." + id + ".abcdef.tmp"), "half");
  for (auto const& theirs :
       {id + ".part", id + ".converted", id + "_20", std::string{"swap_512"}, "." + id, std::string{".others.tmp"}}) {
    write(example.cache() / theirs, "theirs");
  }
  REQUIRE(example.sink->clean_up({}));
  CHECK(example.files() == 7);
  CHECK_FALSE(fs::exists(example.cache() / ("." + id + ".abcdef.tmp")));
}

TEST_CASE("a cache that is not there is not made, and nothing in it counts as removed") {
  Example example;
  REQUIRE(example.put());
  fs::rename(example.cache(), example.cache().native() + "-unmounted");
  for (auto const& error : {example.find().error(), example.put().error(),
                            example.sink->retire(example.want, flow::Retirement::recalled, {}).error()}) {
    CHECK(error.fault == Fault::not_found);
    CHECK_THAT(error.what, Catch::Contains("install -d -o nova"));
  }
}

}  // namespace
}  // namespace imageswarm::sinks
