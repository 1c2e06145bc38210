#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <libtorrent/torrent_info.hpp>
#include <libtorrent/torrent_status.hpp>

#include "caller.hpp"
#include "fixture.hpp"

using namespace imageswarm;
using namespace imageswarm::test;
using namespace std::chrono_literals;
using Kind = Event::Kind;

namespace {

/// A flash crowd of some hosts and one source, on links that make the order of things count.
struct Crowd {
  explicit Crowd(std::size_t size, int hosts, unsigned slots = 8) : artefact{size}, source{with(slots)} {
    source.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
    REQUIRE(source.next_is(Kind::complete));
    for (int host = 0; host < hosts; ++host) crowd.push_back(std::make_unique<Host>(with(slots)));
    for (auto& host : crowd) join(*host);
  }
  static flow::SwarmSettings with(unsigned slots) {
    auto settings = Host::quiet();
    settings.upload_rate = {2'000'000};
    settings.upload_peers = settings.seed_peers = slots;
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

/// A peer by BEP 3 alone, without the fast extension, that does as it is told.
class Plain {
public:
  static constexpr char choke = 0, unchoke = 1, interested = 2, bitfield = 5, request = 6, piece = 7;

  Plain(Artefact const& artefact, Host const& host, flow::SwarmSettings const& settings, std::string const& own)
      : wire_{settings.listen.substr(0, settings.listen.find(':')), host.swarm->port(), own} {
    lt::torrent_info const info{artefact.torrent.data(), static_cast<int>(artefact.torrent.size())};
    wire_.say(
        "\x13"
        "BitTorrent protocol" +
        std::string(8, '\0') + info.info_hashes().get_best().to_string() + "-XX0000-" + own +
        std::string(12 - own.size(), '-'));
    REQUIRE(wire_.hear(68).size() == 68);
  }
  void say(char kind, std::string const& body = "") const {
    wire_.say(std::string{'\0', '\0', '\0', static_cast<char>(1 + body.size()), kind} + body);
  }
  /// Pieces from the first on, of 16 KiB each.
  void ask(char count = 1) const {
    for (char number = 0; number < count; ++number) {
      say(request, {'\0', '\0', '\0', number, '\0', '\0', '\0', '\0', '\0', '\0', '\x40', '\0'});
    }
  }
  /// Passes over other messages.
  bool hears(char kind) const {
    for (;;) {
      auto const prefix = wire_.hear(4);
      if (prefix.size() < 4) return false;
      std::size_t length = 0;
      for (char const byte : prefix) length = length << 8 | static_cast<unsigned char>(byte);
      if (length > 0 && wire_.hear(length).front() == kind) return true;
    }
  }

private:
  Caller wire_;
};

/// A host with one slot and all of an image or half of it, and two ordinary peers that have nothing.
struct OneSlot {
  static constexpr std::size_t pieces = 40;

  explicit OneSlot(Rate rate) {
    bool const seeds = GENERATE(true, false), silent = GENERATE(true, false);
    CAPTURE(seeds, silent);
    auto settings = Crowd::with(1);
    settings.upload_rate = rate;
    host.emplace(settings);
    auto transfer = artefact.transfer(seeded(directory, artefact), {}, seeds);
    if (!seeds) transfer.pieces_here = std::vector<bool>(pieces, false);
    for (std::size_t piece = 0; piece < transfer.pieces_here.size() / 2; ++piece) transfer.pieces_here[piece] = true;
    host->add(std::move(transfer));
    REQUIRE(host->until([&](auto const& status) { return seeds ? status.complete : status.found_here.value > 0; }));
    for (auto const* own : {"127.0.1.81", "127.0.1.82"}) {
      auto const& peer = peers.emplace_back(artefact, *host, settings, own);
      if (!silent) peer.say(Plain::bitfield, std::string(pieces / 8, '\0'));
    }
  }

  TemporaryDirectory directory;
  Artefact artefact{pieces * 16'384};
  std::optional<Host> host;
  std::vector<Plain> peers;
};

}  // namespace

TEST_CASE("a crowd takes hardly more than one copy from its source", "[swarm][offers]") {
  Crowd crowd{4'000'000, 6};
  REQUIRE(crowd.all_complete());
  auto const copies = static_cast<double>(crowd.source.status().uploaded.value) / 4'000'000;
  CHECK(copies >= 1);
  CHECK(copies < 1.5);
}

TEST_CASE("one slot is enough for a crowd: nobody keeps it who does not use it", "[swarm][offers]") {
  Crowd crowd{4'000'000, 6, 1};
  CHECK(crowd.all_complete());
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

TEST_CASE("who asks for nothing takes no slot", "[swarm][offers]") {
  OneSlot const one{{2'000'000}};
  one.peers[0].say(Plain::interested);
  REQUIRE(one.peers[0].hears(Plain::unchoke));
  one.peers[1].say(Plain::interested);
  REQUIRE(one.peers[1].hears(Plain::unchoke));
  one.peers[1].ask();
  CHECK(one.peers[1].hears(Plain::piece));
}

TEST_CASE("while one waits for data the others are choked", "[swarm][offers]") {
  OneSlot const one{{20'000}};
  for (auto const& peer : one.peers) peer.say(Plain::interested);
  REQUIRE(one.peers[0].hears(Plain::unchoke));
  one.peers[0].ask(20);  // 16 s and more
  REQUIRE(one.peers[1].hears(Plain::unchoke));
  CHECK(one.peers[1].hears(Plain::choke));
}
