#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/trust/verify.hpp"
#include "daemon/flow/values.hpp"
#include "daemon/state/announcement.hpp"
#include "daemon/state/departure.hpp"

namespace imageswarm::state {

/// A document as it was accepted: bytes and floor change in one transaction.
struct AcceptedDocument {
  trust::DocumentKey key;
  trust::Floor floor;
  std::string url;    ///< of the subscription that it came by
  std::string bytes;  ///< as received; verified again at every start
  TimePoint issued;
  TimePoint accepted;
};

/// What this host holds of an image, apart from receipts.
struct HeldImage {
  flow::Want want;  ///< as it was when it came: the entry may leave its catalogue later
  std::filesystem::path artefact;
  bool in_place = false;  ///< belongs to others: never removed
  TimePoint since;
  bool whole = true;  ///< and verified; false: it runs ahead of the swarm, and may be in a sink already
};

/// When a boot of this host began by the time of day that was believed in it.
struct BootClock {
  std::string boot_id;  ///< of the kernel
  TimePoint booted;
};

/// What survives a restart, in one SQLite file in WAL mode. Used by the coordinator alone, on one thread at a time;
/// each call is one transaction and is on disk when it returns.
class State {
public:
  /// Makes the file or migrates it. Faults: state-corrupt (never taken for a first use), state-newer, disk-….
  [[nodiscard]] static Result<State> open(std::filesystem::path const& file);
  State(State&&) noexcept;
  State& operator=(State&&) noexcept;
  ~State();

  [[nodiscard]] Result<std::vector<AcceptedDocument>> documents() const;
  [[nodiscard]] Result<trust::Floors> floors() const;
  /// The document, its floor and the time floor together.
  [[nodiscard]] Result<> accept(AcceptedDocument const& document);
  /// Other bytes under an accepted serial: both are kept for whoever investigates, also as files
  /// NAME-SERIAL-DIGEST.yaml in a directory beside the state file. The answer is that directory; nothing where they
  /// were kept already, or as many of this document as are kept.
  [[nodiscard]] Result<std::optional<std::filesystem::path>> keep_evidence(trust::DocumentKey const& key,
                                                                           std::string_view url, std::string_view bytes,
                                                                           TimePoint now);

  [[nodiscard]] Result<TimePoint> time_floor() const;
  /// Never goes back.
  [[nodiscard]] Result<> raise_time_floor(TimePoint seen);
  [[nodiscard]] Result<std::optional<BootClock>> boot_clock() const;
  [[nodiscard]] Result<> keep_boot_clock(BootClock const& clock);

  [[nodiscard]] Result<std::vector<HeldImage>> held() const;
  [[nodiscard]] Result<> hold(HeldImage const& image);
  [[nodiscard]] Result<> release(Uuid const& image_id);

  [[nodiscard]] Result<std::vector<flow::Receipt>> receipts() const;
  [[nodiscard]] Result<> record(flow::Receipt const& receipt);
  [[nodiscard]] Result<> forget_receipt(Uuid const& image_id, std::string_view sink);

  /// In the order in which they departed.
  [[nodiscard]] Result<std::vector<Departure>> departures() const;
  /// In the place of what was known of the same image.
  [[nodiscard]] Result<> record(Departure const& departure);
  [[nodiscard]] Result<> forget_departure(Uuid const& image_id);

  [[nodiscard]] Result<std::vector<Announcement>> announcements() const;
  /// In the order in which they were announced.
  [[nodiscard]] Result<std::vector<Delivery>> deliveries() const;
  /// In the place of what was announced of the same image, together with all that follows from it; each delivery gets
  /// its number.
  [[nodiscard]] Result<> announce(Announcement const& announcement, std::vector<Delivery>& deliveries);
  [[nodiscard]] Result<> forget_announcement(Uuid const& image_id);
  [[nodiscard]] Result<> forget_delivery(std::int64_t number);

private:
  struct Impl;
  explicit State(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace imageswarm::state
