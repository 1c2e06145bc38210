#pragma once

#include <condition_variable>
#include <functional>
#include <libtorrent/ip_filter.hpp>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "daemon/swarm/network.hpp"

// Private to daemon/swarm: libtorrent shows here.

namespace imageswarm::swarm {

/// The host of "http://HOST:PORT/…", without brackets.
std::string host_of(std::string_view url);

/// Whom we talk to: the site's networks, and the hosts of the web seeds wherever they are, because libtorrent applies
/// its peer filter to web seeds too. Names are resolved on a thread of its own, now and every ten minutes.
class AddressFilter {
public:
  using Apply = std::function<void(lt::ip_filter)>;
  /// `apply` is called from the caller of the functions below and from the own thread.
  explicit AddressFilter(Apply apply);

  /// Empty = any address.
  void set_networks(std::vector<Network> networks);
  /// The hosts of these web seeds shall be reachable too.
  void add_web_seeds(std::vector<std::string> const& urls);

private:
  void resolve_all(std::stop_token const& stop);
  lt::ip_filter filter() const;

  Apply apply_;
  std::mutex mutable mutex_;  ///< guards the four below
  std::vector<Network> networks_;
  std::set<std::string> hosts_;
  std::set<lt::address> addresses_;
  bool changed_ = false;
  std::condition_variable_any wake_;
  std::jthread resolver_;  ///< last: it uses the others
};

}  // namespace imageswarm::swarm
