#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "daemon/sinks/sink.hpp"

namespace imageswarm::sinks {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t mib = 1 << 20;

/// A loop device on a file of zeros.
class Loop {
public:
  Loop(fs::path const& file, std::size_t size) : file_{file} {
    std::ofstream{file_}.close();
    fs::resize_file(file_, size);
    auto* const answer = ::popen(("losetup --find --show " + file_.native()).c_str(), "r");
    std::array<char, 64> line{};
    if (answer != nullptr && std::fgets(line.data(), line.size(), answer) != nullptr) device_ = line.data();
    if (answer != nullptr) ::pclose(answer);
    while (device_.ends_with('\n')) device_.pop_back();
  }
  Loop(Loop const&) = delete;
  ~Loop() { static_cast<void>(std::system(("losetup --detach " + device_).c_str())); }

  std::string const& device() const { return device_; }
  std::string content(std::size_t begin, std::size_t length) const {
    std::ifstream file{device_, std::ios::binary};
    file.seekg(static_cast<std::streamoff>(begin));
    std::string bytes(length, 'x');
    file.read(bytes.data(), static_cast<std::streamsize>(length));
    return bytes;
  }
  void write(std::size_t at, std::string const& bytes) const {
    std::fstream file{device_, std::ios::binary | std::ios::in | std::ios::out};
    file.seekp(static_cast<std::streamoff>(at));
    file << bytes;
  }
  bool head_is_blank() const { return content(0, mib) == std::string(mib, '\0'); }

private:
  fs::path file_;
  std::string device_;
};

/// A raw image of 3.5 MiB with a hole, in a directory with a device of 8 MiB.
class Example {
public:
  Example() {
    std::string name = fs::temp_directory_path() / "imageswarm-volume-XXXXXX";
    root_ = ::mkdtemp(name.data());
    loop.emplace(root_ / "disk", 8 * mib);
    want = version("1", '1');
    settings.type = "volume";
    settings.device = "/dev/{volume-name}";
    renew();
  }
  ~Example() {
    loop.reset();
    fs::remove_all(root_);
  }

  void renew() { sink = make_volume_sink(settings, root_ / "volumes").value(); }
  flow::Want version(std::string const& number, char letter) {
    content = std::string(mib, letter) + std::string(mib, '\0') + std::string(mib + mib / 2, letter);
    flow::Want made;
    auto& image = made.image;
    image.uuid = *Uuid::parse("5b6e7c1a-3f0d-4a52-9d59-2b8a6f0e4c11");
    image.disk_format = "raw";
    image.volume_name = fs::path{loop->device()}.filename();
    image.version = document::Version::parse(number).value();
    image.content_size = image.torrent.content_size = ByteCount{content.size()};
    image.content_sha256 = image.torrent.content_sha256 = digest_of<Sha256>(content);
    image.content_sha512 = digest_of<Sha512>(content);
    image.image_id = document::image_id_of(image.uuid, image.content_sha256);
    return made;
  }
  Result<flow::Receipt> put(flow::Want const& what, std::stop_token const& stop = {}) {
    std::ofstream{root_ / "artefact", std::ios::binary} << content;
    auto const artefact = flow::verify_artefact(root_ / "artefact", what.image, {});
    REQUIRE(artefact);
    return sink->put(what, *artefact, {}, stop);
  }
  bool found(flow::Want const& what) {
    auto const there = sink->find(what, nullptr, {});
    REQUIRE(there);
    return there->has_value();
  }
  flow::Effect retire(flow::Want const& what) {
    auto const retired = sink->retire(what, flow::Retirement::withdrawn, {});
    REQUIRE(retired);
    return retired->effect;
  }
  bool holds_content() const { return loop->content(0, content.size()) == content; }

  std::optional<Loop> loop;
  std::string content;
  flow::Want want;
  flow::SinkSettings settings;
  std::unique_ptr<Sink> sink;

private:
  fs::path root_;
};

bool can_make_devices() {
  if (::geteuid() == 0 && fs::exists("/dev/loop-control")) return true;
  WARN("loop devices are root's: not tested");
  return false;
}

TEST_CASE("an image lies raw on its device, and is found there until a byte of it changes") {
  if (!can_make_devices()) return;
  Example example;
  CHECK_FALSE(example.found(example.want));
  auto const receipt = example.put(example.want).value();
  CHECK(receipt.reference == example.loop->device());
  CHECK(receipt.uploaded_here);
  CHECK(example.holds_content());
  CHECK(example.found(example.want));
  example.loop->write(3 * mib, "x");
  example.renew();
  CHECK_FALSE(example.found(example.want));
  REQUIRE(example.put(example.want));
  CHECK(example.holds_content());
}

TEST_CASE("zeros of an image are zeros on the device, whatever was there") {
  if (!can_make_devices()) return;
  Example example;
  example.loop->write(mib + 5, std::string(mib, 'x'));
  REQUIRE(example.put(example.want));
  CHECK(example.holds_content());
}

TEST_CASE("what is not ours stays, at either end of a device") {
  if (!can_make_devices()) return;
  Example example;
  auto const at = GENERATE(std::size_t{512}, 8 * mib - 1);
  example.loop->write(at, "x");
  auto const refused = example.put(example.want);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().fault == Fault::exists);
  CHECK(refused.error().what.find("blkdiscard") != std::string::npos);
  CHECK(example.loop->content(at, 1) == "x");
  CHECK(example.retire(example.want) == flow::Effect::absent);
  CHECK(example.loop->content(at, 1) == "x");
}

TEST_CASE("a device that was ours and now begins otherwise stays") {
  if (!can_make_devices()) return;
  Example example;
  REQUIRE(example.put(example.want));
  example.loop->write(1024, "somebody's");
  CHECK_FALSE(example.put(example.want));
  auto const retired = example.sink->retire(example.want, flow::Retirement::withdrawn, {});
  REQUIRE_FALSE(retired);
  CHECK(retired.error().fault == Fault::exists);
  CHECK(example.loop->content(1024, 10) == "somebody's");
}

TEST_CASE("a device that is too small is said with both numbers, before anything is fetched") {
  if (!can_make_devices()) return;
  Example example;
  example.want.image.volume_size = ByteCount{9 * mib};
  auto const found = example.sink->find(example.want, nullptr, {});
  REQUIRE_FALSE(found);
  CHECK(found.error().fault == Fault::disk_full);
  CHECK(found.error().what.find("has 8388608 bytes and the image needs 9437184") != std::string::npos);
  CHECK_FALSE(example.put(example.want));
  CHECK(example.loop->head_is_blank());
}

TEST_CASE("nothing is written to a device that is locked or open alone elsewhere, nor is it cleared") {
  if (!can_make_devices()) return;
  Example example;
  bool const is_there = GENERATE(false, true);
  if (is_there) REQUIRE(example.put(example.want));
  bool const by_lock = GENERATE(false, true);
  UniqueFd const user{::open(example.loop->device().c_str(), O_RDONLY | O_CLOEXEC | (by_lock ? 0 : O_EXCL))};
  REQUIRE(user);
  struct flock byte {};
  byte.l_type = F_RDLCK;
  byte.l_start = 100;  // as qemu does
  byte.l_len = 1;
  if (by_lock) REQUIRE(::fcntl(user.get(), F_OFD_SETLK, &byte) == 0);
  auto const refused = example.put(example.want);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what.find("is in use") != std::string::npos);
  CHECK(example.retire(example.want) == (is_there ? flow::Effect::in_use : flow::Effect::absent));
  CHECK(example.holds_content() == is_there);
}

TEST_CASE("what is withdrawn is cleared, and the device free for any family") {
  if (!can_make_devices()) return;
  Example example;
  REQUIRE(example.put(example.want));
  CHECK(example.retire(example.want) == flow::Effect::removed);
  CHECK(example.loop->head_is_blank());
  CHECK(example.retire(example.want) == flow::Effect::absent);
  auto other = example.version("1", '2');
  other.image.uuid = *Uuid::parse("11111111-3f0d-4a52-9d59-2b8a6f0e4c11");
  CHECK(example.put(other));
}

TEST_CASE("a newer version takes the device over, and neither an older one nor another family does") {
  if (!can_make_devices()) return;
  Example example;
  REQUIRE(example.put(example.want));
  auto const newer = example.version("2", '2');
  REQUIRE(example.put(newer));
  auto const content = example.content;
  CHECK(example.holds_content());
  CHECK(example.retire(example.want) == flow::Effect::absent);
  auto const older = example.version("1.5", '3');
  CHECK(example.put(older).error().what.find("newer version 2") != std::string::npos);
  auto other = example.version("3", '4');
  other.image.uuid = *Uuid::parse("11111111-3f0d-4a52-9d59-2b8a6f0e4c11");
  CHECK(example.put(other).error().what.find("of another family") != std::string::npos);
  example.content = content;
  CHECK(example.holds_content());
}

TEST_CASE("a device that was cut off while it was written is blank at its head, and ours to complete") {
  if (!can_make_devices()) return;
  Example example;
  REQUIRE(example.put(example.want));
  example.loop->write(0, std::string(mib, '\0'));
  example.loop->write(8 * mib - 5, "rest");
  example.renew();
  CHECK_FALSE(example.found(example.want));
  REQUIRE(example.put(example.want));
  CHECK(example.holds_content());
}

TEST_CASE("an image without a word that the template has is refused") {
  Example example;
  example.want.image.volume_name.clear();
  CHECK(example.sink->find(example.want, nullptr, {}).error().fault == Fault::doc_field);
}

}  // namespace
}  // namespace imageswarm::sinks
