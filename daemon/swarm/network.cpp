#include "daemon/swarm/network.hpp"

#include <algorithm>
#include <cstdint>

#include "common/base/text.hpp"
#include "common/base/units.hpp"

namespace imageswarm::swarm {
namespace {

/// The first or the last address of a network: what is behind the prefix all zero or all one.
template <class Bytes>
Bytes edge(Bytes bytes, std::size_t prefix, bool last) {
  for (std::size_t bit = prefix; bit < bytes.size() * 8; ++bit) {
    auto const mask = static_cast<unsigned char>(0x80u >> (bit % 8));
    auto& byte = bytes[bit / 8];
    byte = static_cast<unsigned char>(last ? byte | mask : byte & ~mask);
  }
  return bytes;
}

Result<Network> parse(std::string const& network) {
  auto const slash = network.find('/');
  boost::system::error_code error;
  auto const address = lt::make_address(network.substr(0, slash), error);
  auto const bits = error || address.is_v4() ? 32u : 128u;
  auto const prefix =
      slash == network.npos ? Result<std::uint64_t>{bits} : parse_number(network.substr(slash + 1), 0, bits);
  if (error || !prefix) {
    return fail(Fault::config_value, "'{}' is not an address or a network like 10.0.0.0/8", printable(network));
  }
  if (address.is_v4()) {
    auto const bytes = address.to_v4().to_bytes();
    return Network{lt::address_v4{edge(bytes, *prefix, false)}, lt::address_v4{edge(bytes, *prefix, true)}};
  }
  auto const bytes = address.to_v6().to_bytes();
  return Network{lt::address_v6{edge(bytes, *prefix, false)}, lt::address_v6{edge(bytes, *prefix, true)}};
}

}  // namespace

Result<std::vector<Network>> parse_networks(std::vector<std::string> const& texts) {
  std::vector<Network> networks;
  for (auto const& text : texts) {
    auto network = parse(text);
    if (!network) return fail(std::move(network.error()));
    networks.push_back(std::move(*network));
  }
  return networks;
}

bool holds(std::vector<Network> const& networks, lt::address const& address) {
  return std::ranges::any_of(networks, [&](Network const& network) {
    return network.first.is_v4() == address.is_v4() && network.first <= address && address <= network.last;
  });
}

}  // namespace imageswarm::swarm
