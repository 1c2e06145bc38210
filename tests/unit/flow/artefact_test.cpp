#include "daemon/flow/artefact.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <future>

#include "tests/support/temporary_directory.hpp"

namespace imageswarm::flow {
namespace {

using namespace std::chrono_literals;

/// The file of an image's artefact, which comes bit by bit.
class Download {
public:
  Download() {
    image.torrent.content_size = {content.size()};
    image.torrent.content_sha256 = digest_of<Sha256>(content);
  }
  void bring(std::size_t bytes) {
    file_ << content.substr(here_, bytes) << std::flush;
    here_ = std::min(here_ + bytes, content.size());
    arrival->reached({here_});
  }
  Artefact opened(Patience patience = {}) const {
    auto artefact = Artefact::open(path_, image, arrival, stop.get_token(), patience);
    REQUIRE(artefact);
    return *artefact;
  }
  std::filesystem::path folder() const { return path_.parent_path(); }

  std::string content = std::string(300'000, 'a') + std::string(300'000, 'b');
  document::Image image;
  std::shared_ptr<Arrival> arrival = std::make_shared<Arrival>();
  std::stop_source stop;

private:
  test::TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_ / "artefact";
  std::ofstream file_{path_, std::ios::binary};
  std::size_t here_ = 0;
};

Fault fault_of(Artefact const& artefact) {
  return artefact.verified().error().fault;
}

TEST_CASE("who waits gets what has come, and less than before counts for nothing", "[arrival]") {
  Arrival arrival;
  auto const far = std::chrono::steady_clock::now() + 1h;
  auto waiting = std::async(std::launch::async, [&] { return arrival.wait({20}, far, {}); });
  arrival.reached({9});
  CHECK(waiting.wait_for(0ms) == std::future_status::timeout);
  arrival.reached({20});
  CHECK(waiting.get());
  arrival.reached({10});
  CHECK(arrival.in_order() == ByteCount{20});
  arrival.close();
  CHECK(arrival.wait({20}, far, {}));
  CHECK(arrival.wait({21}, far, {}).error().fault == Fault::cancelled);
}

TEST_CASE("an artefact is hashed as it arrives, and verified when all of it is here", "[artefact]") {
  Download download;
  download.bring(100'000);
  auto const artefact = download.opened();
  CHECK_FALSE(artefact.whole());
  auto verdict = std::async(std::launch::async, [&] { return artefact.verified(); });
  download.bring(400'000);
  std::vector<std::byte> part(10);
  REQUIRE(artefact.read(299'995, part, {}));
  CHECK(std::string_view{reinterpret_cast<char const*>(part.data()), 10} == "aaaaabbbbb");
  CHECK(verdict.wait_for(0ms) == std::future_status::timeout);
  download.bring(100'000);
  auto const whole = verdict.get();
  REQUIRE(whole);
  CHECK(Artefact{*whole}.whole());
  CHECK(Artefact{*whole}.verified());
}

TEST_CASE("an artefact that arrived and is not what was signed is not verified", "[artefact]") {
  Download other, longer, shorter;
  other.content[599'999] = 'c';
  longer.content += "more";
  shorter.content.pop_back();
  for (auto* download : {&other, &longer, &shorter}) {
    auto const artefact = download->opened();
    download->bring(700'000);
    download->arrival->reached({600'000});
    CHECK(fault_of(artefact) == Fault::hash_mismatch);
  }
}

TEST_CASE("what an artefact still needs is counted where it lies", "[artefact]") {
  Download download;
  download.bring(100'000);
  auto const artefact = download.opened();
  CHECK(artefact.missing_on(download.folder()) == ByteCount{500'000});
  CHECK(artefact.missing_on("/proc") == ByteCount{0});
  download.bring(500'000);
  CHECK(Artefact{artefact.verified().value()}.missing_on(download.folder()) == ByteCount{0});
}

TEST_CASE("an artefact that stalls, takes too long, is closed or stopped is not verified", "[artefact]") {
  Download stalled, slow, closed, stopped;
  stalled.bring(100'000);
  CHECK(fault_of(stalled.opened({.next = 1ms, .whole = 1h})) == Fault::cancelled);
  slow.bring(100'000);
  CHECK(fault_of(slow.opened({.next = 1h, .whole = 1ms})) == Fault::cancelled);
  auto const closing = closed.opened(), stopping = stopped.opened();
  closed.arrival->close();
  CHECK(fault_of(closing) == Fault::cancelled);
  stopped.stop.request_stop();
  CHECK(fault_of(stopping) == Fault::cancelled);
}

}  // namespace
}  // namespace imageswarm::flow
