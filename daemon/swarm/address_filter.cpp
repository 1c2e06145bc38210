#include "daemon/swarm/address_filter.hpp"

#include <netdb.h>

#include <chrono>
#include <libtorrent/socket.hpp>
#include <memory>

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

std::set<lt::address> resolve(std::string const& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  std::set<lt::address> addresses;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return addresses;
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> const owner{found, &::freeaddrinfo};
  for (auto const* one = found; one; one = one->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0) continue;
    boost::system::error_code error;
    auto const address = lt::make_address(text, error);
    if (!error) addresses.insert(address);
  }
  return addresses;
}

}  // namespace

std::string host_of(std::string_view url) {
  if (auto const scheme = url.find("://"); scheme != url.npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (auto const user = url.rfind('@'); user != url.npos) url.remove_prefix(user + 1);
  if (url.starts_with('[')) return std::string{url.substr(1, url.find(']') - 1)};
  return std::string{url.substr(0, url.rfind(':'))};
}

Result<AddressFilter::Range> AddressFilter::parse(std::string const& network) {
  auto const slash = network.find('/');
  boost::system::error_code error;
  auto const address = lt::make_address(network.substr(0, slash), error);
  auto const bits = error || address.is_v4() ? 32u : 128u;
  auto const prefix =
      slash == network.npos ? Result<std::uint64_t>{bits} : parse_number(network.substr(slash + 1), 0, bits);
  if (error || !prefix) {
    return fail(Fault::config_value, "swarm.networks: '{}' is not an address or a network like 10.0.0.0/8",
                printable(network));
  }
  if (address.is_v4()) {
    auto const bytes = address.to_v4().to_bytes();
    return Range{lt::address_v4{edge(bytes, *prefix, false)}, lt::address_v4{edge(bytes, *prefix, true)}};
  }
  auto const bytes = address.to_v6().to_bytes();
  return Range{lt::address_v6{edge(bytes, *prefix, false)}, lt::address_v6{edge(bytes, *prefix, true)}};
}

AddressFilter::AddressFilter(Apply apply)
    : apply_{std::move(apply)}, resolver_{[this](std::stop_token const& stop) { resolve_all(stop); }} {}

Result<> AddressFilter::check(std::vector<std::string> const& networks) {
  for (auto const& network : networks) {
    if (auto range = parse(network); !range) return fail(std::move(range.error()));
  }
  return {};
}

void AddressFilter::set_networks(std::vector<std::string> const& networks) {
  std::lock_guard const lock{mutex_};
  networks_.clear();
  for (auto const& network : networks) {
    if (auto range = parse(network)) networks_.push_back(std::move(*range));
  }
  changed_ = true;
  wake_.notify_one();
  apply_(filter());
}

void AddressFilter::add_web_seeds(std::vector<std::string> const& urls) {
  std::lock_guard const lock{mutex_};
  for (auto const& url : urls) changed_ |= hosts_.insert(host_of(url)).second;
  wake_.notify_one();
}

lt::ip_filter AddressFilter::filter() const {
  lt::ip_filter filter;
  if (networks_.empty()) return filter;
  filter.add_rule(lt::make_address("0.0.0.0"), lt::make_address("255.255.255.255"), lt::ip_filter::blocked);
  filter.add_rule(lt::make_address("::"), lt::make_address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
                  lt::ip_filter::blocked);
  for (auto const& [first, last] : networks_) filter.add_rule(first, last, 0);
  for (auto const& address : addresses_) filter.add_rule(address, address, 0);
  return filter;
}

void AddressFilter::resolve_all(std::stop_token const& stop) {
  std::unique_lock lock{mutex_};
  while (!stop.stop_requested()) {
    wake_.wait_for(lock, stop, std::chrono::minutes{10}, [this] { return changed_; });
    changed_ = false;
    if (networks_.empty()) continue;  // any address may be talked to
    auto const hosts = hosts_;
    lock.unlock();
    std::set<lt::address> addresses;
    for (auto const& host : hosts) {
      if (stop.stop_requested()) break;
      addresses.merge(resolve(host));
    }
    lock.lock();
    if (stop.stop_requested() || addresses == addresses_) continue;
    addresses_ = std::move(addresses);
    apply_(filter());
  }
}

}  // namespace imageswarm::swarm
