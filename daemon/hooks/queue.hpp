#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "daemon/flow/settings.hpp"
#include "daemon/hooks/event.hpp"
#include "daemon/state/board.hpp"
#include "daemon/state/state.hpp"

namespace imageswarm::hooks {

/// How long to wait before the next try after the n-th failure in a row (n from 1): 5 s that double up to an hour.
std::chrono::seconds retry_delay(unsigned failures);

/// One program, and what it is to be told.
struct Task {
  std::int64_t number = 0;
  flow::HookSettings hook;
  std::string body;
};

/// What the hooks must still be told: written to state first, then remembered here. A hook is told one event at a time,
/// and of each image in the order of the events; one that it cannot take holds up no other image.
class Queue {
public:
  using SteadyTime = std::chrono::steady_clock::time_point;
  /// What a hook cannot take for this long is given up.
  static constexpr std::chrono::days days_kept{30};
  /// Per hook; beyond that the oldest is given up.
  static constexpr std::size_t most_waiting = 1'000;

  explicit Queue(state::State& state) : state_{state} {}

  /// What earlier runs left. Faults of all calls: state-corrupt, disk-….
  [[nodiscard]] Result<> load();
  /// What waits for a hook that is no longer configured is dropped; all else is tried at once.
  [[nodiscard]] Result<> configure(std::string host, std::vector<flow::HookSettings> hooks);

  /// Was this the last that was announced of the image?
  bool knows(state::Announcement const& announcement) const;
  /// Queued for every hook that asks for such events, on disk when this returns. Nothing where it is known.
  [[nodiscard]] Result<> announce(Event const& event, TimePoint now);
  /// Nothing is left of the image here.
  void forget(Uuid const& image_id);
  std::map<Uuid, state::Announcement> const& announced() const { return announced_; }

  /// What is to be run now, if anything: it counts as running until one of the next two is called.
  std::optional<Task> take(SteadyTime steady);
  void delivered(std::int64_t number);
  void failed(std::int64_t number, Error error, TimePoint now, SteadyTime steady);

  /// When something is due that waits for its time.
  std::optional<SteadyTime> next_try() const;
  /// Has everything that waits been tried, and does nothing run?
  bool settled() const;
  std::vector<state::HookStatus> statuses() const;

private:
  struct Waiting {
    state::Delivery delivery;
    unsigned failures = 0;
    SteadyTime not_before{};
  };
  struct Hook {
    flow::HookSettings settings;
    std::map<std::int64_t, Waiting> waiting;  ///< by number: the oldest first
    std::optional<std::int64_t> running;
    std::optional<Error> error;
  };
  static std::vector<Waiting const*> heads_of(Hook const& hook);
  Hook* hook_named(std::string const& name);
  Hook* hook_running(std::int64_t number);
  void forget_delivery(std::int64_t number);
  void remove(Hook& hook, std::int64_t number);
  void give_up(Hook& hook, std::int64_t number, std::string_view why);

  state::State& state_;
  std::string host_;
  std::vector<Hook> hooks_;
  std::map<Uuid, state::Announcement> announced_;
};

}  // namespace imageswarm::hooks
