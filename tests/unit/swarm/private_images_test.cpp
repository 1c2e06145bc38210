#include <malloc.h>

#include <libtorrent/load_torrent.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/torrent_flags.hpp>
#include <libtorrent/torrent_status.hpp>
#include <thread>

#include "caller.hpp"
#include "daemon/swarm/host_certificates.hpp"
#include "daemon/swarm/membership.hpp"
#include "daemon/swarm/session.hpp"
#include "fixture.hpp"
#include "tests/support/swarm_pki.hpp"

using namespace imageswarm;
using namespace imageswarm::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using Kind = Event::Kind;

namespace {

constexpr std::size_t size = 700'001;

flow::SslSettings files_of(SwarmPki const& pki, std::string const& name) {
  return {pki.path() / (name + ".pem"), pki.path() / (name + ".key")};
}

flow::SwarmSettings member(SwarmPki const& pki, std::string const& name = "member") {
  auto settings = Host::quiet();
  settings.ssl = {files_of(pki, name)};
  settings.ssl_port = 0;
  return settings;
}

Artefact private_artefact(SwarmPki const& pki, torrent::Flavour flavour = torrent::Flavour::v2) {
  return Artefact{size, flavour, 16_KiB, pki.text("ca.pem")};
}

struct Members : SwarmPki {
  Members() : SwarmPki{"swarm"} { issue("member", "hv1.example.org", "DNS:*"); }
};

/// libtorrent as it comes, which knows nothing of our rules, on an address of its own.
class Client {
public:
  Client(Artefact const& artefact, fs::path const& directory, SwarmPki const& pki, std::string const& certificate) {
    static int host = 100;
    lt::settings_pack pack;
    auto const address = "127.0.0." + std::to_string(++host);
    pack.set_str(lt::settings_pack::listen_interfaces, address + ":0," + address + ":0s");
    pack.set_str(lt::settings_pack::outgoing_interfaces, address);
    for (auto const off : {lt::settings_pack::enable_dht, lt::settings_pack::enable_lsd, lt::settings_pack::enable_upnp,
                           lt::settings_pack::enable_natpmp, lt::settings_pack::enable_outgoing_utp}) {
      pack.set_bool(off, false);
    }
    pack.set_int(lt::settings_pack::min_reconnect_time, 0);
    session_.apply_settings(pack);
    auto params =
        lt::load_torrent_buffer({artefact.torrent.data(), static_cast<std::ptrdiff_t>(artefact.torrent.size())});
    params.save_path = directory;
    params.flags &= ~(lt::torrent_flags::auto_managed | lt::torrent_flags::paused);
    handle_ = session_.add_torrent(params);
    if (!certificate.empty()) {
      handle_.set_ssl_certificate_buffer(pki.text(certificate + ".pem"), pki.text(certificate + ".key"),
                                         swarm::dh_parameters);
    }
  }

  /// Tries again and again; stops early once it has something. Payload both ways, in bytes.
  std::int64_t payload_with(Host const& host, std::string const& address, std::chrono::milliseconds patience) {
    auto const deadline = std::chrono::steady_clock::now() + patience;
    std::int64_t moved = 0;
    while (moved == 0 && std::chrono::steady_clock::now() < deadline) {
      handle_.connect_peer({lt::make_address(address), host.swarm->ssl_port()});
      session_.wait_for_alert(100ms);
      std::vector<lt::alert*> alerts;
      session_.pop_alerts(&alerts);
      auto const status = handle_.status();
      moved = status.total_payload_download + status.total_payload_upload;
    }
    return moved;
  }

private:
  swarm::Session session_{lt::session_params{}};
  lt::torrent_handle handle_;
};

std::string address_of(flow::SwarmSettings const& settings) {
  return settings.listen.substr(0, settings.listen.find(':'));
}

}  // namespace

TEST_CASE("hosts with certificates of the swarm's CA share a private image", "[swarm]") {
  Members const pki;
  for (auto const flavour : {torrent::Flavour::v2, torrent::Flavour::hybrid}) {
    TemporaryDirectory directory;
    Tracker tracker;
    auto const artefact = private_artefact(pki, flavour);
    pki.issue("named", "hv2.example.org", "DNS:" + artefact.name);
    Host seed{member(pki)}, host{member(pki, "named")};
    seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
    REQUIRE(seed.next_is(Kind::complete));
    auto const target = fresh(directory, "b");
    host.add(artefact.transfer(target, {tracker.url()}));
    REQUIRE(host.next_is(Kind::complete));
    CHECK(holds(target / artefact.name, artefact.content));
  }
}

TEST_CASE("who is no member gets nothing of a private image, and gives nothing", "[swarm]") {
  Members const pki;
  SwarmPki const other{"swarm"};
  other.issue("stranger", "hv1.example.org", "DNS:*");
  for (auto const* ending : {".pem", ".key"}) {
    fs::copy_file(other.path() / ("stranger" + std::string{ending}), pki.path() / ("stranger" + std::string{ending}));
  }
  pki.issue("prefix", "host", "DNS:d");        // of disk.img; libtorrent lets it in
  pki.issue("prefix-cn", "disk", "DNS:host");  // this too
  pki.issue("expired", "host", "DNS:*", "-days -1");
  pki.issue("other-name", "host", "DNS:host.example.org");

  auto const artefact = private_artefact(pki);
  for (bool const intruder_has_it : {false, true}) {
    TemporaryDirectory directory;
    auto const settings = member(pki);
    Host host{settings};
    auto const ours = intruder_has_it ? fresh(directory, "ours") : seeded(directory, artefact);
    host.add(artefact.transfer(ours, {}));
    if (!intruder_has_it) REQUIRE(host.next_is(Kind::complete));
    auto const try_as = [&](std::string const& papers, std::chrono::milliseconds patience) {
      auto const theirs = fresh(directory, papers.empty() ? "nobody" : papers.c_str());
      if (intruder_has_it) write(theirs / artefact.name, artefact.content);
      return Client{artefact, theirs, pki, papers}.payload_with(host, address_of(settings), patience);
    };
    for (auto const* papers : {"", "stranger", "prefix", "prefix-cn", "expired", "other-name"}) {
      CAPTURE(papers, intruder_has_it);
      CHECK(try_as(papers, 1500ms) == 0);
    }
    CHECK(try_as("member", 20s) > 0);  // so the others could have, were it not for their papers
  }
}

TEST_CASE("without a certificate that opens it a private image waits, and says why", "[swarm]") {
  Members const pki;
  pki.issue("elsewhere", "host", "DNS:elsewhere");
  auto const artefact = private_artefact(pki);
  TemporaryDirectory directory;
  auto const refusal = [&](flow::SwarmSettings const& settings) {
    Host host{settings};
    auto const added = host.swarm->add(artefact.transfer(fresh(directory, "a"), {}));
    return added ? "" : added.error().line();
  };
  CHECK(refusal(member(pki)) == "");
  CHECK_THAT(refusal(Host::quiet()), Contains("swarm-error") && Contains("swarm.ssl names no certificate"));
  CHECK_THAT(refusal(member(pki, "elsewhere")), Contains("swarm-error") && Contains("elsewhere.pem"));
  CHECK_THAT(refusal(member(pki, "missing")), Contains("swarm-error") && Contains("missing.key"));
  fs::permissions(pki.path() / "member.key", fs::perms{0640});
  CHECK_THAT(refusal(member(pki)), Contains("swarm-error") && Contains("0400 or 0600"));
  CHECK_THAT(refusal(member(pki)), !Contains("PRIVATE KEY"));
}

TEST_CASE("of several certificates the one that opens the image is used", "[swarm]") {
  Members const pki;
  SwarmPki const other{"other"};
  other.issue("there", "host", "DNS:*");
  TemporaryDirectory directory;
  Tracker tracker;
  auto const artefact = private_artefact(pki);
  auto several = member(pki);
  several.ssl.insert(several.ssl.begin(), files_of(other, "there"));
  several.ssl.insert(several.ssl.begin(), files_of(other, "missing"));
  Host seed{several}, host{member(pki)};
  seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
  host.add(artefact.transfer(fresh(directory, "b"), {tracker.url()}));
  CHECK(host.ends_with(Kind::complete));
}

TEST_CASE("a host leaves while others are at their TLS handshakes", "[swarm]") {
  Members const pki;
  auto const settings = member(pki);
  auto host = std::make_unique<Host>(settings);
  std::vector<Caller> silent;
  for (int count = 0; count < 20; ++count) silent.emplace_back(address_of(settings), host->swarm->ssl_port());
  Caller babbler{address_of(settings), host->swarm->ssl_port()};
  babbler.say("no TLS");
  REQUIRE(babbler.is_hung_up_on());  // so those before it are at their handshakes

  ::mallopt(M_PERTURB, 0x55);  // whoever uses freed memory crashes
  host.reset();
  ::mallopt(M_PERTURB, 0);
  for (auto const& caller : silent) CHECK(caller.is_hung_up_on());
}

TEST_CASE("a certificate that expires stops a private image, and one that replaces it lets it go on", "[swarm]") {
  Members const pki;
  auto const artefact = private_artefact(pki);
  TemporaryDirectory directory;
  Tracker tracker;
  Host seed{member(pki)};
  seed.add(artefact.transfer(seeded(directory, artefact), {tracker.url()}, true));
  REQUIRE(seed.next_is(Kind::complete));

  pki.issue("mine", "host", "DNS:*");
  Host host{member(pki, "mine")};
  flow::HostRates none;
  none.upload_rate = {1};
  seed.swarm->set_rates(none);  // nothing moves for now
  auto const target = fresh(directory, "b");
  host.add(artefact.transfer(target, {tracker.url()}));
  pki.issue("mine", "host", "DNS:*", "-days -1");
  auto const event = host.next();
  REQUIRE(event);
  CHECK(event->kind == Kind::stalled);
  CHECK(event->error.fault == Fault::swarm_error);

  pki.issue("mine", "host", "DNS:*");
  REQUIRE(host.next_is(Kind::recovered));
  seed.swarm->set_rates({});
  CHECK(host.ends_with(Kind::complete));
  CHECK(holds(target / artefact.name, artefact.content));
}

TEST_CASE("files of which one was replaced and the other not yet put no certificate out of use", "[swarm]") {
  Members const pki;
  pki.issue("next", "host", "DNS:*");
  auto const files = files_of(pki, "member");
  auto const ca = *trust::SwarmCa::read(pki.text("ca.pem"));
  auto const now = SystemClock{}.now();
  swarm::HostCertificates certificates;
  certificates.take(swarm::HostCertificates::load({files}), now);
  auto const before = certificates.choose(ca, "image", now);
  REQUIRE(before);
  auto const pem = (*before)->certificate;

  fs::copy_file(pki.path() / "next.pem", files.certificate, fs::copy_options::overwrite_existing);
  CHECK(swarm::load_host_certificate(files).error().fault == Fault::swarm_error);
  certificates.take(swarm::HostCertificates::load({files}), now);
  REQUIRE(certificates.choose(ca, "image", now));
  CHECK((*certificates.choose(ca, "image", now))->certificate == pem);

  fs::copy_file(pki.path() / "next.key", files.key, fs::copy_options::overwrite_existing);
  certificates.take(swarm::HostCertificates::load({files}), now);
  CHECK((*certificates.choose(ca, "image", now))->certificate == pki.text("next.pem"));
  CHECK_FALSE(certificates.choose(ca, "image", now + std::chrono::hours{24 * 8}));
}
