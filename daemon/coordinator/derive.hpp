#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/coordinator/subscription.hpp"
#include "daemon/flow/settings.hpp"

namespace imageswarm::coordinator {

/// Most subscriptions that endorser lists may bring about: each is a timer, a document in memory and a request at every
/// refresh, at the word of others. What the configured lists themselves name comes first; the rest is for the lists
/// that they include, by turns.
inline constexpr std::size_t max_derived = 1000;

/// A subscription that endorser lists bring about, and all ways by which they do.
struct Derived {
  flow::SubscriptionSettings settings;
  std::vector<ListPath> paths;
};

struct Derivation {
  std::vector<Derived> subscriptions;  ///< included lists, and the catalogues of those who are accepted
  std::vector<std::string> left_out;   ///< for people, a line each
  bool complete = true;                ///< false: there was no room for all of them
};

/// What follows from the endorser lists among `present` that `configured` names, directly or through others: what they
/// name is followed as often as they are, each endorser by a subscription of his or her own. What the configuration
/// itself says of a URL counts there, whatever a list says.
Derivation derive(std::vector<flow::SubscriptionSettings> const& configured,
                  std::vector<std::shared_ptr<Subscription>> const& present);

}  // namespace imageswarm::coordinator
