#pragma once

#include <future>
#include <libtorrent/bdecode.hpp>
#include <libtorrent/entry.hpp>
#include <libtorrent/extensions.hpp>
#include <libtorrent/load_torrent.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/settings_pack.hpp>
#include <libtorrent/torrent_handle.hpp>

#include "tests/unit/swarm/fixture.hpp"

// Peers that are no hosts of ours.

namespace imageswarm::test {

inline lt::settings_pack stranger(std::string const& listen, int upload_rate = 0) {
  lt::settings_pack pack;
  pack.set_str(lt::settings_pack::listen_interfaces, listen);
  pack.set_str(lt::settings_pack::outgoing_interfaces, listen.substr(0, listen.find(':')));
  pack.set_int(lt::settings_pack::upload_rate_limit, upload_rate);
  for (auto const off : {lt::settings_pack::enable_dht, lt::settings_pack::enable_lsd, lt::settings_pack::enable_upnp,
                         lt::settings_pack::enable_natpmp}) {
    pack.set_bool(off, false);
  }
  return pack;
}

/// A peer that believes that it has everything, and serves rubbish.
class Poisoner {
public:
  Poisoner(Artefact const& artefact, fs::path const& directory, std::string const& listen, Tracker const& tracker,
           int upload_rate = 0)
      : session_{stranger(listen, upload_rate)} {
    lt::ip_filter everybody;  // the rate is for hosts nearby as well
    everybody.add_rule(lt::make_address("0.0.0.0"), lt::make_address("255.255.255.255"),
                       1u << static_cast<std::uint32_t>(lt::session::global_peer_class_id));
    session_.set_peer_class_filter(everybody);
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
  lt::session session_;
};

/// Keeps the first extension handshake (BEP 10) that it hears; on libtorrent's network thread.
class Ear final : public lt::torrent_plugin, public lt::peer_plugin, public std::enable_shared_from_this<Ear> {
public:
  std::shared_ptr<lt::peer_plugin> new_connection(lt::peer_connection_handle const&) override {
    return shared_from_this();
  }
  bool on_extension_handshake(lt::bdecode_node const& handshake) override {
    if (!std::exchange(has_heard_, true)) heard_.set_value(lt::entry{handshake});
    return true;
  }
  void tick() override {}
  std::future<lt::entry> heard() { return heard_.get_future(); }

private:
  std::promise<lt::entry> heard_;
  bool has_heard_ = false;
};

/// What a host says in its extension handshake to somebody who comes for this torrent.
inline lt::entry handshake_of(Host const& host, std::string const& address, lt::sha1_hash const& info_hash) {
  auto const ear = std::make_shared<Ear>();
  auto heard = ear->heard();
  lt::session session{stranger(Host::quiet().listen)};
  lt::add_torrent_params params;
  params.info_hashes = lt::info_hash_t{info_hash};
  params.save_path = "/nonexistent";
  params.flags &= ~(lt::torrent_flags::paused | lt::torrent_flags::auto_managed);
  params.extensions.emplace_back([ear](lt::torrent_handle const&, lt::client_data_t) { return ear; });
  session.add_torrent(std::move(params)).connect_peer({lt::make_address(address), host.swarm->port()});
  REQUIRE(heard.wait_for(std::chrono::seconds{10}) == std::future_status::ready);
  return heard.get();
}

}  // namespace imageswarm::test
