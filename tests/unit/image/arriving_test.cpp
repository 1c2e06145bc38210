#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <condition_variable>
#include <future>
#include <mutex>

#include "common/image/inspect.hpp"
#include "tests/unit/image/builders.hpp"

using namespace imageswarm;
using namespace imageswarm::image;
using namespace imageswarm::image::test;
using document::Compression;

namespace {

/// An artefact that comes bit by bit, in a file that is no longer than what is here.
class Download {
public:
  explicit Download(std::string artefact) : artefact_{std::move(artefact)}, fd_{file_of("")} {}

  void bring(std::size_t bytes) {
    std::lock_guard const lock{mutex_};
    auto const part = std::string_view{artefact_}.substr(here_, bytes);
    REQUIRE(::pwrite(fd_.get(), part.data(), part.size(), static_cast<off_t>(here_)) ==
            static_cast<ssize_t>(part.size()));
    here_ += part.size();
    waiting_ = 0;
    changed_.notify_all();
  }
  void end() {
    std::lock_guard const lock{mutex_};
    ended_ = true;
    changed_.notify_all();
  }
  /// Until the other side waits for more than there is.
  void wait_until_it_waits() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }
  bool whole() const { return here_ == artefact_.size(); }

  Unpacked unpack(Compression compression, std::size_t content_size, std::string const& format,
                  std::stop_token const& stop = {}) {
    std::string content;
    auto const sink = [&content](std::span<std::byte const> data) -> Result<> {
      content.append(reinterpret_cast<char const*>(data.data()), data.size());
      return {};
    };
    auto const read = [this](std::uint64_t offset, std::span<std::byte> out, std::stop_token const& until) -> Result<> {
      std::unique_lock lock{mutex_};
      auto const here = [&] { return here_ >= offset + out.size(); };
      waiting_ += here() ? 0 : 1;
      changed_.notify_all();
      changed_.wait(lock, until, [&] { return here() || ended_; });
      if (!here()) return fail(Fault::cancelled, "no more will come");
      auto const count = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
      return count == static_cast<ssize_t>(out.size()) ? Result<>{} : fail(Fault::internal, "read what is not here");
    };
    auto result = image::unpack(read, {artefact_.size()}, {compression, {content_size}, format}, sink, stop);
    return {std::move(result), std::move(content)};
  }

private:
  std::string artefact_;
  UniqueFd fd_;
  std::mutex mutex_;  // guards all that follows
  std::condition_variable_any changed_;
  std::size_t here_ = 0;
  int waiting_ = 0;
  bool ended_ = false;
};

constexpr Compression all_compressions[] = {Compression::none, Compression::gzip, Compression::xz, Compression::zstd,
                                            Compression::bzip2};

}  // namespace

TEST_CASE("an artefact is unpacked as it arrives, and nothing is read that is not here", "[image][arriving]") {
  auto const disk = noise(3'000'000);
  for (auto const compression : all_compressions) {
    INFO(static_cast<int>(compression));
    Download download{compression == Compression::none ? disk : compressed(compression, disk)};
    auto unpacking = std::async(std::launch::async, [&] { return download.unpack(compression, disk.size(), "raw"); });
    while (!download.whole()) {
      download.wait_until_it_waits();
      download.bring(700'000);
    }
    auto const [result, content] = unpacking.get();
    REQUIRE(word_of(result) == "");
    CHECK((content == disk));
  }
}

TEST_CASE("an artefact that stops arriving ends the unpacking with the reason", "[image][arriving]") {
  auto const disk = noise(3'000'000);
  for (auto const compression : all_compressions) {
    INFO(static_cast<int>(compression));
    Download download{compression == Compression::none ? disk : compressed(compression, disk)};
    auto unpacking = std::async(std::launch::async, [&] { return download.unpack(compression, disk.size(), "raw"); });
    download.bring(1'000'000);
    download.wait_until_it_waits();
    download.end();
    auto const result = unpacking.get().result;
    REQUIRE(word_of(result) == "cancelled");
    CHECK_THAT(result.error().what, Catch::Contains("no more will come"));
  }
}

TEST_CASE("unpacking what is still arriving can be stopped", "[image][arriving]") {
  auto const disk = noise(1'000'000);
  for (auto const compression : {Compression::none, Compression::zstd}) {
    Download download{compression == Compression::none ? disk : compressed(compression, disk)};
    std::stop_source stop;
    auto unpacking = std::async(std::launch::async,
                                [&] { return download.unpack(compression, disk.size(), "raw", stop.get_token()); });
    download.wait_until_it_waits();
    stop.request_stop();
    CHECK(word_of(unpacking.get().result) == "cancelled");
  }
}

TEST_CASE("an image that is not what was promised is refused while it still arrives", "[image][arriving]") {
  auto const disk = noise(3'000'000);
  Download download{disk};
  auto unpacking =
      std::async(std::launch::async, [&] { return download.unpack(Compression::none, disk.size(), "qcow2"); });
  download.bring(2'200'000);  // its head is 2 MiB
  auto const [result, content] = unpacking.get();
  CHECK(word_of(result) == "image-format-mismatch");
  CHECK(content.empty());
}

TEST_CASE("the end of an image that arrived is judged too", "[image][arriving]") {
  auto disk = noise(1'000'000);
  disk.replace(disk.size() - 512, 8, "conectix");  // the footer of a VHD
  Download download{disk};
  auto unpacking =
      std::async(std::launch::async, [&] { return download.unpack(Compression::none, disk.size(), "raw"); });
  download.bring(900'000);
  download.wait_until_it_waits();
  download.bring(100'000);
  CHECK(word_of(unpacking.get().result) == "image-format-unsupported");
}
