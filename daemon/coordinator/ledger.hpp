#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/uuid.hpp"
#include "daemon/flow/values.hpp"
#include "daemon/state/state.hpp"

namespace imageswarm::coordinator {

/// What this host holds and where it has put it: written to state first, then remembered here.
class Ledger {
public:
  explicit Ledger(state::State& state) : state_{state} {}

  /// What earlier runs left. Faults of all calls: state-corrupt, disk-….
  [[nodiscard]] Result<> load();

  state::HeldImage const* held(Uuid const& image_id) const;
  std::map<Uuid, state::HeldImage> const& all_held() const { return held_; }
  [[nodiscard]] Result<> hold(state::HeldImage image);
  [[nodiscard]] Result<> release(Uuid const& image_id);

  std::optional<flow::Receipt> receipt(Uuid const& image_id, std::string_view sink) const;
  std::vector<flow::Receipt> const& receipts() const { return receipts_; }
  /// Takes the place of the receipt that the same image had in the same sink.
  [[nodiscard]] Result<> record(flow::Receipt receipt);
  [[nodiscard]] Result<> forget(Uuid const& image_id, std::string_view sink);

private:
  state::State& state_;
  std::map<Uuid, state::HeldImage> held_;
  std::vector<flow::Receipt> receipts_;
};

}  // namespace imageswarm::coordinator
