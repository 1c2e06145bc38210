#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <libtorrent/torrent_info.hpp>
#include <libtorrent/torrent_status.hpp>

#include "fixture.hpp"

using namespace imageswarm;
using namespace imageswarm::test;
using namespace std::chrono_literals;
using Kind = Event::Kind;

namespace {

/// A flash crowd of some hosts and one source, on links that make the order of things count.
struct Crowd {
  explicit Crowd(std::size_t size, int hosts, Rate rate = {2'000'000}) : artefact{size}, source{at(rate)} {
    source.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
    REQUIRE(source.next_is(Kind::complete));
    for (int host = 0; host < hosts; ++host) crowd.push_back(std::make_unique<Host>(at(rate)));
    for (auto& host : crowd) join(*host);
  }
  static flow::SwarmSettings at(Rate rate) {
    auto settings = Host::quiet();
    settings.upload_rate = rate;
    return settings;
  }
  void join(Host& host) {
    auto const name = "host" + std::to_string(joined++);
    host.add(artefact.transfer(fresh(directory, name.c_str()), {tracker.url()}));
  }
  bool all_complete() {
    return std::all_of(crowd.begin(), crowd.end(), [](auto& host) { return host->ends_with(Kind::complete); });
  }

  TemporaryDirectory directory;
  Tracker tracker;
  Artefact artefact;
  Host source;
  int joined = 0;
  std::vector<std::unique_ptr<Host>> crowd;
};

/// An ordinary client: libtorrent as it comes.
struct Ordinary {
  explicit Ordinary(Artefact const& artefact, fs::path const& path, Tracker const& tracker,
                    std::string const& address) {
    lt::settings_pack pack;
    pack.set_str(lt::settings_pack::listen_interfaces, address + ":0");
    pack.set_str(lt::settings_pack::outgoing_interfaces, address);
    pack.set_bool(lt::settings_pack::enable_dht, false);
    pack.set_bool(lt::settings_pack::enable_lsd, false);
    session.apply_settings(pack);
    lt::add_torrent_params params;
    params.ti = std::make_shared<lt::torrent_info>(artefact.torrent.data(), static_cast<int>(artefact.torrent.size()));
    params.save_path = path;
    params.trackers = {tracker.url()};
    handle = session.add_torrent(std::move(params));
  }
  bool completes() {
    auto const deadline = std::chrono::steady_clock::now() + 20s;
    while (std::chrono::steady_clock::now() < deadline) {
      session.wait_for_alert(50ms);
      std::vector<lt::alert*> alerts;
      session.pop_alerts(&alerts);
      if (handle.status().is_seeding) return true;
    }
    return false;
  }
  lt::session session;
  lt::torrent_handle handle;
};

}  // namespace

TEST_CASE("a crowd takes hardly more than one copy from its source", "[swarm][offers]") {
  Crowd crowd{4'000'000, 6};
  REQUIRE(crowd.all_complete());
  auto const copies = static_cast<double>(crowd.source.status().uploaded.value) / 4'000'000;
  CHECK(copies >= 1);
  CHECK(copies < 1.5);
}

TEST_CASE("a host that comes late gets all of it, from hosts that were complete before", "[swarm][offers]") {
  Crowd crowd{1'000'000, 3};
  REQUIRE(crowd.all_complete());
  crowd.source.swarm.reset();
  Host late;
  crowd.join(late);
  CHECK(late.ends_with(Kind::complete));
}

TEST_CASE("a source that was started again goes on with a crowd that waits", "[swarm][offers]") {
  Crowd crowd{4'000'000, 3};
  REQUIRE(crowd.source.until([](auto const& status) { return status.uploaded.value >= 1'000'000; }));
  crowd.source.swarm.reset();
  Host again;
  again.add(crowd.artefact.transfer(crowd.directory / "seed", {crowd.tracker.url()}, true));
  CHECK(crowd.all_complete());
}

TEST_CASE("an ordinary client in the crowd gets all of it", "[swarm][offers]") {
  Crowd crowd{2'000'000, 3};
  Ordinary client{crowd.artefact, fresh(crowd.directory, "client"), crowd.tracker, "127.0.1.77"};
  CHECK(client.completes());
  CHECK(crowd.all_complete());
}

TEST_CASE("a host that gives nothing away keeps nobody from the image", "[swarm][offers]") {
  Crowd crowd{2'000'000, 3};
  auto hoarder_settings = Host::quiet();
  hoarder_settings.upload_rate = {1};
  Host hoarder{hoarder_settings};
  crowd.join(hoarder);
  CHECK(crowd.all_complete());
}
