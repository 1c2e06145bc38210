#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <future>

#include "daemon/sinks/sink.hpp"
#include "tests/support/temporary_directory.hpp"

// What a sink makes of an artefact that is still on its way.

namespace imageswarm::sinks {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::size_t size = 5'000'000, half = 4u << 20;  // more than the inspector's 2 MiB of head

class Example {
public:
  explicit Example(std::string const& type = "directory") {
    for (std::uint32_t x = 1; auto& byte : content) byte = static_cast<char>((x = x * 1664525 + 1013904223) >> 24);
    auto& image = want.image;
    image.image_id = Uuid::random();
    image.disk_format = "raw";
    image.content_size = image.torrent.content_size = {size};
    image.content_sha256 = image.torrent.content_sha256 = digest_of<Sha256>(content);
    image.content_sha512 = digest_of<Sha512>(content);
    flow::SinkSettings settings;
    settings.path = settings.directory = directory_ / "images";
    settings.group = std::to_string(::getegid());
    fs::create_directory(settings.path);
    sink_ = (type == "directory" ? make_directory_sink(settings) : make_nova_cache_sink(settings)).value();
  }

  /// All but the end is here, and being put.
  void begin() {
    std::ofstream{directory_ / "artefact", std::ios::binary} << content.substr(0, half);
    arrival->reached({half});
    put_ = std::async(std::launch::async, [this]() -> Result<flow::Receipt> {
      auto const artefact = flow::Artefact::open(directory_ / "artefact", want.image, arrival, stop.get_token());
      if (!artefact) return fail(artefact.error());
      return sink_->put(
          want, *artefact,
          [this](ByteCount moved) {
            if (moved.value == half) moved_.set_value();
          },
          stop.get_token());
    });
    REQUIRE(moved_.get_future().wait_for(20s) == std::future_status::ready);
  }
  Result<flow::Receipt> end() {
    std::ofstream{directory_ / "artefact", std::ios::binary | std::ios::app} << content.substr(half);
    arrival->reached({size});
    return put_.get();
  }
  Result<flow::Receipt> outcome() { return put_.get(); }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (auto const& entry : fs::directory_iterator{directory_ / "images"}) names.push_back(entry.path().extension());
    return names;
  }

  std::string content = std::string(size, '\0');
  flow::Want want;
  std::shared_ptr<flow::Arrival> arrival = std::make_shared<flow::Arrival>();
  std::stop_source stop;

private:
  test::TemporaryDirectory directory_;
  std::unique_ptr<Sink> sink_;
  std::promise<void> moved_;
  std::future<Result<flow::Receipt>> put_;
};

using Files = std::vector<std::string>;

TEST_CASE("what has come of an image lies under a temporary name until all of it is here and right") {
  auto const& [type, extension] =
      GENERATE(table<std::string, std::string>({{"directory", ".raw"}, {"nova-cache", ""}}));
  Example example{type};
  example.begin();
  CHECK(example.files() == Files{".tmp"});
  CHECK(example.end());
  CHECK(example.files() == Files{extension});
}

TEST_CASE("an image whose content is right and whose artefact is not gets no name") {
  Example example{GENERATE(as<std::string>{}, "directory", "nova-cache")};
  example.want.image.torrent.content_sha256 = digest_of<Sha256>("another");
  example.begin();
  CHECK(example.end().error().fault == Fault::hash_mismatch);
  CHECK(example.files().empty());
}

TEST_CASE("an image whose last bytes are not the signed ones gets no name") {
  Example example;
  example.begin();
  example.content.back() ^= 1;
  CHECK(example.end().error().fault == Fault::hash_mismatch);
  CHECK(example.files().empty());
}

TEST_CASE("an image that stops arriving, or is not wanted any more, leaves nothing") {
  Example stalled;
  stalled.begin();
  stalled.arrival->close();
  CHECK(stalled.outcome().error().fault == Fault::cancelled);
  CHECK(stalled.files().empty());
  Example recalled;
  recalled.begin();
  recalled.stop.request_stop();
  CHECK(recalled.outcome().error().fault == Fault::cancelled);
  CHECK(recalled.files().empty());
}

}  // namespace
}  // namespace imageswarm::sinks
