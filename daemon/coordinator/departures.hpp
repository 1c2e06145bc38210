#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "daemon/selection/select.hpp"
#include "daemon/state/departure.hpp"
#include "daemon/state/state.hpp"

namespace imageswarm::coordinator {

/// Does it keep a sink from handing the image out even to those who know its ID?
bool blocks(flow::Retirement why);

/// The images that had to go, and how far that is: what must still be done, and the proof once it is. Proofs
/// are kept for `days_kept` or up to `most_kept` of them. What cannot be written is said, counts nevertheless, and is
/// written with the next change: a full disk stops no recall.
class Departures {
public:
  static constexpr std::chrono::days days_kept{400};
  static constexpr std::size_t most_kept = 10'000;

  explicit Departures(state::State& state) : state_{state} {}

  /// What earlier runs left. Faults: state-corrupt, disk-….
  [[nodiscard]] Result<> load(TimePoint now);

  /// An image must go. Where that is known, only a cause that blocks takes the place of the old one; and if the old one
  /// did not, every sink is asked again.
  void open(state::Departure departure);
  /// It is wanted again.
  void close(Uuid const& image_id);
  /// The first time counts.
  void unseeded(Uuid const& image_id, TimePoint now);
  void discarded(Uuid const& image_id, TimePoint now);
  void retired(Uuid const& image_id, std::string_view sink, flow::Retired const& result, TimePoint now);

  bool contains(Uuid const& image_id) const { return all_.contains(image_id); }
  /// Must the image still be taken out of use in this sink?
  bool owed(Uuid const& image_id, std::string_view sink) const;
  std::vector<selection::Departed> for_selection() const;
  std::map<Uuid, state::Departure> const& all() const { return all_; }

private:
  template <class Change>
  void change(Uuid const& image_id, Change change);
  void keep(state::Departure const& departure);
  void forget_old(TimePoint now);

  state::State& state_;
  std::map<Uuid, state::Departure> all_;
};

}  // namespace imageswarm::coordinator
