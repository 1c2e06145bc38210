// The Glance sink against a real Keystone and Glance: IMAGESWARM_TEST_CLOUDS names the clouds.yaml,
// IMAGESWARM_TEST_CLOUD the entry. Each test makes an image of its own, so that they do not meet. The tests tagged
// [.outage] ask whoever started this program to kill and start services (test_glance_sink.py).

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <thread>

#include "common/openstack/glance.hpp"
#include "daemon/sinks/glance_plan.hpp"
#include "daemon/sinks/glance_record.hpp"
#include "daemon/sinks/sink.hpp"

namespace imageswarm::sinks {
namespace {

using openstack::Glance;
using openstack::GlanceImage;

std::string environment(char const* name) {
  auto const* value = std::getenv(name);
  if (value == nullptr) FAIL("set " << name);
  return value;
}

flow::SinkSettings settings() {
  flow::SinkSettings settings;
  settings.type = "glance";
  settings.cloud = environment("IMAGESWARM_TEST_CLOUD");
  settings.clouds_file = environment("IMAGESWARM_TEST_CLOUDS");
  settings.visibility = "shared";
  return settings;
}

/// An image that no Glance has seen, with its artefact on disk.
class Trial {
public:
  explicit Trial(std::size_t size = 3'000'001) {
    std::string name = std::filesystem::temp_directory_path() / "imageswarm-glance-XXXXXX";
    directory_ = ::mkdtemp(name.data());
    std::mt19937_64 random{std::random_device{}()};
    content.resize(size);
    for (auto& byte : content) byte = static_cast<char>(random());
    std::ofstream{directory_ / "artefact", std::ios::binary} << content;

    auto& image = want.image;
    image.uuid = Uuid::random();
    image.name = "trial 1 (test)";
    image.version = Version::parse("1.2").value();
    image.os_distro = "debian";
    image.architecture = "x86_64";
    image.hypervisor = "kvm";
    image.disk_format = "raw";
    image.content_size = image.torrent.content_size = ByteCount{size};
    image.content_sha256 = image.torrent.content_sha256 = digest_of<Sha256>(content);
    image.content_sha512 = digest_of<Sha512>(content);
    image.image_id = document::image_id_of(image.uuid, image.content_sha256);
    image.glance_properties = {{"hw_disk_bus", "virtio"}};
    image.glance_tags = {"trial"};
    image.min_ram_mib = 512;
    want.provenance.endorser = "CN=Ada Endorser,O=Example";
  }
  ~Trial() {
    for (auto const& record : records()) (void)glance.remove(record.id, {});
    std::filesystem::remove_all(directory_);
  }

  Result<flow::Receipt> put_as(std::string host, Sink::Progress const& progress = {},
                               std::stop_token const& stop = {}) {
    auto const artefact = flow::verify_artefact(directory_ / "artefact", want.image, {});
    REQUIRE(artefact);
    return make_glance_sink(settings(), std::move(host)).value()->put(want, *artefact, progress, stop);
  }
  /// Only so much of the artefact is here, and more comes with `arrival`.
  Result<flow::Receipt> put_arriving(std::string host, std::shared_ptr<flow::Arrival const> arrival,
                                     Sink::Progress const& progress) {
    auto const artefact = flow::Artefact::open(directory_ / "artefact", want.image, std::move(arrival), {});
    REQUIRE(artefact);
    return make_glance_sink(settings(), std::move(host)).value()->put(want, *artefact, progress, {});
  }
  std::optional<flow::Receipt> found() {
    return make_glance_sink(settings(), "observer").value()->find(want, nullptr, {}).value();
  }
  std::vector<GlanceImage> records() { return glance.find(property::image_id, want.image.image_id.text(), {}).value(); }
  std::string id(unsigned attempt) const { return attempt_id(want.image.image_id, attempt).text(); }
  std::string content_in_glance(std::string const& id) {
    std::string text;
    auto const append = [&text](std::span<std::byte const> data) -> Result<> {
      text.append(reinterpret_cast<char const*>(data.data()), data.size());
      return {};
    };
    REQUIRE(glance.download(id, append, {}));
    return text;
  }
  /// What another host would have made, filled with `data`.
  void record_of(std::string const& host, unsigned attempt, std::string const& data) {
    REQUIRE(glance.create(new_record(want, settings(), attempt_id(want.image.image_id, attempt), host), {}));
    upload(id(attempt), data);
  }
  void upload(std::string const& record, std::string const& data) {
    std::size_t at = 0;
    auto const give = [&](std::span<std::byte> room) -> Result<std::size_t> {
      auto const count = std::min(room.size(), data.size() - at);
      std::ranges::copy(std::as_bytes(std::span{data}.subspan(at, count)), room.begin());
      at += count;
      return count;
    };
    REQUIRE(glance.upload(record, ByteCount{data.size()}, "", give, {}));
  }

  using Version = document::Version;
  flow::Want want;
  std::string content;
  Glance glance{openstack::load_cloud(settings().clouds_file, settings().cloud).value()};

private:
  std::filesystem::path directory_;
};

TEST_CASE("an image is registered under its image ID, and once is enough") {
  Trial trial;
  CHECK_FALSE(trial.found());
  ByteCount moved;
  auto const receipt = trial.put_as("hv001", [&](ByteCount now) { moved = now; }).value();
  CHECK(receipt.reference == trial.id(1));
  CHECK(receipt.uploaded_here);
  CHECK(moved == trial.want.image.content_size);

  auto const record = trial.glance.show(trial.id(1), {}).value();
  CHECK(record.status == "active");
  CHECK_FALSE(record.hidden);
  CHECK(record.visibility == "shared");
  CHECK(record.name == "trial 1 (test)");
  CHECK(record.min_disk_gib == 1);
  CHECK(record.min_ram_mib == 512);
  CHECK(record.tags == std::vector<std::string>{"trial"});
  for (auto const& [name, value] : std::map<std::string, std::string>{{"os_distro", "debian"},
                                                                      {"hypervisor_type", "qemu"},
                                                                      {"hw_disk_bus", "virtio"},
                                                                      {"imageswarm_version", "1.2"},
                                                                      {"imageswarm_uploader", "hv001"}}) {
    CHECK(property_of(record, name) == value);
  }
  CHECK((trial.content_in_glance(trial.id(1)) == trial.content));

  auto const again = trial.put_as("hv002").value();
  CHECK(again.reference == trial.id(1));
  CHECK_FALSE(again.uploaded_here);
  CHECK(trial.found().value().reference == trial.id(1));
  CHECK(trial.records().size() == 1);
}

TEST_CASE("of many hosts at once, one uploads and all have the image") {
  Trial trial{20'000'000};
  std::atomic<int> uploads = 0, receipts = 0;
  {
    std::vector<std::jthread> hosts;
    for (int i = 0; i < 8; ++i) {
      hosts.emplace_back([&, i] {
        for (int tries = 0; tries < 60; ++tries) {
          auto const receipt = trial.put_as("hv" + std::to_string(i));
          if (receipt) {
            uploads += receipt->uploaded_here;
            ++receipts;
            return;
          }
          if (receipt.error().fault != Fault::glance_busy) return;
          std::this_thread::sleep_for(std::chrono::milliseconds{500});
        }
      });
    }
  }
  CHECK(receipts == 8);
  CHECK(uploads == 1);
  CHECK(trial.records().size() == 1);
}

TEST_CASE("an ID that was used up leads to the next attempt") {
  Trial trial;
  for (unsigned attempt : {1u, 2u}) {
    trial.record_of("gone", attempt, "x");
    REQUIRE(trial.glance.remove(trial.id(attempt), {}));
  }
  CHECK(trial.put_as("hv001").value().reference == trial.id(3));
  CHECK(trial.put_as("hv002").value().reference == trial.id(3));
}

TEST_CASE("an upload that was cut off is made again into the same record, by its host at once") {
  Trial trial{30'000'000};
  std::stop_source stop;
  auto const cut = trial.put_as(
      "hv001",
      [&](ByteCount now) {
        if (now.value > 10'000'000) stop.request_stop();
      },
      stop.get_token());
  CHECK(cut.error().fault == Fault::cancelled);
  std::this_thread::sleep_for(std::chrono::seconds{1});
  CHECK(trial.glance.show(trial.id(1), {}).value().status == "queued");
  CHECK_FALSE(trial.found());
  CHECK(trial.put_as("hv002").error().fault == Fault::glance_busy);
  auto const receipt = trial.put_as("hv001").value();
  CHECK(receipt.reference == trial.id(1));
  CHECK((trial.content_in_glance(trial.id(1)) == trial.content));
}

TEST_CASE("an upload that runs ahead is hidden and lacks its end until the artefact is whole") {
  Trial trial;
  auto const arrival = std::make_shared<flow::Arrival>();
  arrival->reached({2'999'999});
  auto const look = [&, looked = false](ByteCount moved) mutable {
    if (moved.value < 2'500'000 || std::exchange(looked, true)) return;
    auto const record = trial.glance.show(trial.id(1), {}).value();
    CHECK(record.status == "saving");
    CHECK_FALSE(trial.found());
    arrival->reached(trial.want.image.content_size);
  };
  CHECK(trial.put_arriving("hv001", arrival, look).value().uploaded_here);
  CHECK(trial.glance.show(trial.id(1), {}).value().status == "active");
  CHECK((trial.content_in_glance(trial.id(1)) == trial.content));
}

TEST_CASE("an upload that ran ahead and got no further is made again into the same record") {
  Trial trial;
  auto const arrival = std::make_shared<flow::Arrival>();
  arrival->reached({2'999'999});
  auto const give_up = [&](ByteCount moved) {
    if (moved.value >= 2'500'000) arrival->close();
  };
  CHECK(trial.put_arriving("hv001", arrival, give_up).error().fault == Fault::cancelled);
  CHECK_FALSE(trial.found());
  CHECK(trial.put_as("hv001").value().reference == trial.id(1));
  CHECK(trial.records().size() == 1);
}

TEST_CASE("a record is not given up because what came of the artefact is wrong") {
  Trial trial;
  auto const right = trial.want.image.torrent.content_sha256;
  trial.want.image.torrent.content_sha256 = digest_of<Sha256>("something else");
  auto const arrival = std::make_shared<flow::Arrival>();
  arrival->reached(trial.want.image.torrent.content_size);
  CHECK(trial.put_arriving("hv001", arrival, {}).error().fault == Fault::hash_mismatch);
  CHECK_FALSE(trial.found());
  trial.want.image.torrent.content_sha256 = right;
  CHECK(trial.put_as("hv001").value().reference == trial.id(1));
  CHECK(trial.records().size() == 1);
}

TEST_CASE("content that is not what was signed never becomes active, and its record goes") {
  Trial trial;
  trial.want.image.content_sha512 = digest_of<Sha512>("something else");
  auto const receipt = trial.put_as("hv001");
  CHECK(receipt.error().fault == Fault::hash_mismatch);
  CHECK(trial.records().empty());
}

TEST_CASE("a record with other bytes is not the image, and is replaced") {
  Trial trial;
  trial.record_of("hv009", 1, "");  // Glance makes this active, with size 0
  CHECK(trial.glance.show(trial.id(1), {}).value().status == "active");
  CHECK_FALSE(trial.found());
  CHECK(trial.put_as("hv001").value().reference == trial.id(2));
  CHECK(trial.glance.show(trial.id(1), {}).error().fault == Fault::glance_not_found);
}

TEST_CASE("a snapshot that inherited the properties is left alone") {
  Trial trial;
  auto snapshot = new_record(trial.want, settings(), Uuid::random(), "hv001");
  REQUIRE(trial.glance.create(snapshot, {}));
  trial.upload(snapshot.id, "a user's own data");
  REQUIRE(trial.glance.patch(snapshot.id, {{"os_hidden", false}}, {}));
  auto const receipt = trial.put_as("hv001").value();
  CHECK(receipt.reference == trial.id(1));
  REQUIRE(make_glance_sink(settings(), "hv001").value()->retire(trial.want, flow::Retirement::recalled, {}));
  auto const kept = trial.glance.show(snapshot.id, {}).value();
  CHECK(kept.status == "active");
  CHECK_FALSE(kept.hidden);
}

TEST_CASE("a complete record that its host never showed is inspected and shown by another, after a while") {
  Trial trial;
  trial.record_of("died", 1, trial.content);
  CHECK(trial.put_as("hv001").error().fault == Fault::glance_busy);
  std::this_thread::sleep_for(show_patience + std::chrono::seconds{1});
  auto const receipt = trial.put_as("hv001").value();
  CHECK(receipt.reference == trial.id(1));
  CHECK_FALSE(receipt.uploaded_here);
  CHECK(trial.records().size() == 1);
}

TEST_CASE("a superseded image is hidden, and comes back when it is wanted again") {
  Trial trial;
  REQUIRE(trial.put_as("hv001"));
  auto const sink = make_glance_sink(settings(), "hv001").value();
  for (int time = 0; time < 2; ++time) {
    auto const retired = sink->retire(trial.want, flow::Retirement::superseded, {});
    REQUIRE(retired);
    CHECK(retired->effect == flow::Effect::hidden);
    CHECK(retired->reference == trial.id(1));
  }
  auto const hidden = trial.glance.show(trial.id(1), {}).value();
  CHECK(hidden.hidden);
  CHECK(hidden.status == "active");
  CHECK_FALSE(trial.found());
  auto const back = trial.put_as("hv002").value();
  CHECK(back.reference == trial.id(1));
  CHECK_FALSE(back.uploaded_here);
  CHECK(trial.found());
}

TEST_CASE("a recalled image is deactivated, and no host that has not heard of it yet brings it back") {
  Trial trial;
  auto const sink = make_glance_sink(settings(), "hv001").value();
  CHECK(sink->retire(trial.want, flow::Retirement::recalled, {})->effect == flow::Effect::absent);
  REQUIRE(trial.put_as("hv001"));
  for (int time = 0; time < 2; ++time) {
    auto const retired = sink->retire(trial.want, flow::Retirement::recalled, {});
    REQUIRE(retired);
    CHECK(retired->effect == flow::Effect::deactivated);
    CHECK(retired->reference == trial.id(1));
  }
  auto const record = trial.glance.show(trial.id(1), {}).value();
  CHECK(record.status == "deactivated");
  CHECK(record.hidden);
  auto const stale = trial.put_as("hv002");
  CHECK(stale.error().fault == Fault::glance_conflict);
  CHECK_THAT(stale.error().what, Catch::Contains("recalled"));
}

TEST_CASE("an image that somebody else deactivated stays so") {
  Trial trial;
  REQUIRE(trial.put_as("hv001"));
  REQUIRE(trial.glance.deactivate(trial.id(1), {}));
  CHECK_FALSE(trial.found());
  CHECK(trial.put_as("hv001").error().fault == Fault::glance_forbidden);
  CHECK(trial.glance.show(trial.id(1), {}).value().status == "deactivated");
}

TEST_CASE("a host that is killed at any moment finds its way when it is back") {
  for (auto const moment : {50, 200, 350, 500, 650, 800, 1000, 1300}) {
    Trial trial{6'000'000};
    auto const host = ::fork();
    REQUIRE(host >= 0);
    if (host == 0) ::_exit(trial.put_as("hv001") ? 0 : 1);
    std::this_thread::sleep_for(std::chrono::milliseconds{moment});
    ::kill(host, SIGKILL);
    ::waitpid(host, nullptr, 0);
    auto const receipt = trial.put_as("hv001");
    INFO("killed after " << moment << " ms: " << (receipt ? "" : receipt.error().line()));
    REQUIRE(receipt);
    auto const records = trial.records();
    REQUIRE(records.size() == 1);
    CHECK(records[0].status == "active");
    CHECK_FALSE(records[0].hidden);
    CHECK((trial.content_in_glance(receipt->reference) == trial.content));
  }
}

/// Asks whoever started us, over stdout, and waits for the answer on stdin.
void please(std::string_view request) {
  std::cout << "please " << request << std::endl;
  std::string done;
  std::getline(std::cin, done);
}

TEST_CASE("a Glance that was killed during an upload leaves a corpse, which its host replaces", "[.outage]") {
  Trial trial{30'000'000};
  bool killed = false;
  auto const broken = trial.put_as("hv001", [&killed](ByteCount now) {
    if (now.value < 10'000'000 || std::exchange(killed, true)) return;
    please("kill glance");
  });
  REQUIRE_FALSE(broken);
  CHECK(broken.error().fault == Fault::http_connect);
  please("start glance");
  CHECK(trial.glance.show(trial.id(1), {}).value().status == "saving");
  CHECK(trial.put_as("hv002").error().fault == Fault::glance_busy);
  CHECK(trial.put_as("hv001").value().reference == trial.id(2));
  CHECK(trial.put_as("hv002").value().reference == trial.id(2));
  CHECK(trial.records().size() == 1);
  CHECK((trial.content_in_glance(trial.id(2)) == trial.content));
}

TEST_CASE("without Keystone nothing is done, and with it all goes on", "[.outage]") {
  Trial trial;
  auto const sink = make_glance_sink(settings(), "hv001").value();
  please("kill keystone");
  CHECK(sink->find(trial.want, nullptr, {}).error().fault == Fault::keystone_unavailable);
  please("start keystone");
  CHECK_FALSE(sink->find(trial.want, nullptr, {}).value());
  CHECK(trial.put_as("hv001"));
}

}  // namespace
}  // namespace imageswarm::sinks
