#include "daemon/swarm/address_filter.hpp"

#include <netdb.h>

#include <chrono>
#include <libtorrent/socket.hpp>
#include <memory>

namespace imageswarm::swarm {
namespace {

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

AddressFilter::AddressFilter(Apply apply)
    : apply_{std::move(apply)}, resolver_{[this](std::stop_token const& stop) { resolve_all(stop); }} {}

void AddressFilter::set_networks(std::vector<Network> networks) {
  std::lock_guard const lock{mutex_};
  networks_ = std::move(networks);
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
