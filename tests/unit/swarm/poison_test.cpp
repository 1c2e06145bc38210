#include <libtorrent/load_torrent.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/settings_pack.hpp>

#include "fixture.hpp"
#include "tests/support/web_server.hpp"

using namespace imageswarm;
using namespace imageswarm::test;
using namespace std::chrono_literals;
using Kind = Event::Kind;

namespace {

constexpr std::size_t size = 3'000'001;

/// A peer that believes that it has everything, and serves rubbish.
class Poisoner {
public:
  Poisoner(Artefact const& artefact, fs::path const& directory, std::string const& listen, Tracker const& tracker)
      : session_{settings(listen)} {
    write(directory / artefact.name, std::string(artefact.content.size(), 'x'));
    auto params =
        lt::load_torrent_buffer({artefact.torrent.data(), static_cast<std::ptrdiff_t>(artefact.torrent.size())});
    params.save_path = directory;
    params.trackers = {tracker.url()};
    params.have_pieces.resize(params.ti->num_pieces(), true);
    params.flags &= ~(lt::torrent_flags::paused | lt::torrent_flags::auto_managed);
    session_.add_torrent(std::move(params));
  }

private:
  static lt::settings_pack settings(std::string const& listen) {
    lt::settings_pack pack;
    pack.set_str(lt::settings_pack::listen_interfaces, listen);
    pack.set_str(lt::settings_pack::outgoing_interfaces, listen.substr(0, listen.find(':')));
    for (auto const off : {lt::settings_pack::enable_dht, lt::settings_pack::enable_lsd, lt::settings_pack::enable_upnp,
                           lt::settings_pack::enable_natpmp}) {
      pack.set_bool(off, false);
    }
    return pack;
  }

  lt::session session_;
};

}  // namespace

TEST_CASE("a host whose only source was banned asks it again later", "[swarm]") {
  TemporaryDirectory directory;
  Tracker tracker;
  Artefact const artefact{300'001};
  auto const shared = Host::quiet();
  auto hostile = std::make_unique<Poisoner>(artefact, fresh(directory, "bad"), shared.listen, tracker);

  Host host{Host::quiet(), {1s, 1s}};
  host.add(artefact.transfer(fresh(directory, "b"), {tracker.url()}));
  REQUIRE(host.next_is(Kind::stalled));
  hostile.reset();
  Host seed{shared};  // at the same address
  seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
  CHECK(host.next_is(Kind::recovered));
  CHECK(host.next_is(Kind::complete));
}

TEST_CASE("hosts get the artefact whole where most of their peers serve rubbish", "[swarm]") {
  for (auto const flavour : {torrent::Flavour::v2, torrent::Flavour::hybrid}) {
    TemporaryDirectory directory;
    Tracker tracker;
    Artefact const artefact{size, flavour};
    std::vector<std::unique_ptr<Poisoner>> hostile;
    for (auto const* name : {"bad1", "bad2", "bad3"}) {
      hostile.push_back(std::make_unique<Poisoner>(artefact, fresh(directory, name), Host::quiet().listen, tracker));
    }
    Host seed{};
    seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
    Host first{Host::quiet(), {1s, 1s}}, second{Host::quiet(), {1s, 1s}};
    first.add(artefact.transfer(fresh(directory, "first"), {tracker.url()}));
    second.add(artefact.transfer(fresh(directory, "second"), {tracker.url()}));
    for (auto* host : {&first, &second}) CHECK(host->ends_with(Kind::complete));
    CHECK(holds(directory / "first" / artefact.name, artefact.content));
    CHECK(holds(directory / "second" / artefact.name, artefact.content));
  }
}

TEST_CASE("a lying web seed neither gets a byte in nor takes the good peers along", "[swarm]") {
  TemporaryDirectory directory;
  Tracker tracker;
  Artefact const artefact{size};
  WebServer const liar{"/images/" + artefact.name, std::string(artefact.content.size(), 'x'), "127.0.0.200"};
  Host host{Host::quiet(), {0s, 1s}};
  auto transfer = artefact.transfer(fresh(directory, "b"), {tracker.url()});
  transfer.web_seeds = {liar.url() + "images/"};
  host.add(std::move(transfer));
  REQUIRE(host.next_is(Kind::stalled));  // banned, and nobody else there
  Host seed{};
  seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
  CHECK(host.ends_with(Kind::complete));
  CHECK(holds(directory / "b" / artefact.name, artefact.content));
}

TEST_CASE("a web seed that lied is asked again when it has been repaired", "[swarm]") {
  TemporaryDirectory directory;
  Artefact const artefact{size};
  auto const path = "/images/" + artefact.name;
  auto liar = std::make_unique<WebServer>(path, std::string(artefact.content.size(), 'x'), "127.0.0.201", 18'080);
  Host host{Host::quiet(), {0s, 1s}};
  auto transfer = artefact.transfer(fresh(directory, "b"), {});
  transfer.web_seeds = {liar->url() + "images/"};
  host.add(std::move(transfer));
  REQUIRE(host.next_is(Kind::stalled));
  liar.reset();
  WebServer const repaired{path, artefact.content, "127.0.0.201", 18'080};
  CHECK(host.ends_with(Kind::complete));
  CHECK(holds(directory / "b" / artefact.name, artefact.content));
}
