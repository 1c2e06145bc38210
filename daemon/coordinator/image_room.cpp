#include <algorithm>

#include "common/base/log.hpp"
#include "daemon/coordinator/image_steps.hpp"

// The store's budget (`store.size`), for what this host has fetched itself.

namespace imageswarm::coordinator {
namespace {

/// Zeros become holes.
ByteCount size_of(Record const& record) {
  auto const all = record.decision.want.image.torrent.content_size;
  return record.located ? all - record.located->zeros : all;
}

bool same_family(Record const& a, Record const& b) {
  auto const &first = a.decision.want, &second = b.decision.want;
  return first.image.uuid == second.image.uuid && first.provenance.endorser == second.provenance.endorser;
}

}  // namespace

/// Then it is not the last good version of its family.
bool ImageSteps::has_newer_active(Record const& record) const {
  return std::ranges::any_of(records, [&record](auto const& entry) {
    auto const& other = entry.second;
    return same_family(record, other) && other.decision.want.image.version > record.decision.want.image.version &&
           other.active();
  });
}

/// Makes room for an artefact that shall be fetched: versions that newer ones have replaced here give way, the oldest
/// first, and stay in their sinks. Fault: disk-full, and then nothing gave way.
Result<> ImageSteps::make_room(Record const& record) {
  if (!store.size) return {};
  auto needed = size_of(record);
  std::vector<Record*> replaceable;
  for (auto& [id, other] : records) {
    if (&other == &record || !other.has_files || other.evicted) continue;
    needed += size_of(other);
    if (other.active() && !other.in_flight && has_newer_active(other)) replaceable.push_back(&other);
  }
  auto const since = [this](Record const* other) {
    auto const* const held = ledger.held(other->id());
    return held ? held->since : TimePoint{};
  };
  std::ranges::stable_sort(replaceable, {}, since);
  auto const excess = needed - std::min(needed, *store.size);
  ByteCount freed;
  auto enough = replaceable.begin();
  // One that has itself been replaced takes no other's place.
  while (enough != replaceable.end() && freed < excess && !has_newer_active(record)) freed += size_of(**enough++);
  if (freed < excess) {
    return fail(Fault::disk_full,
                "with this image the store would hold {}, and store.size is {}; raise it or keep fewer images",
                human(needed), human(*store.size));
  }
  for (auto at = replaceable.begin(); at != enough; ++at) evict(**at);
  return {};
}

/// What waited for it is tried at once.
void ImageSteps::room_was_made() {
  for (auto& [id, record] : records) {
    auto& retry = record.retry;
    if (!record.joined && retry.error && retry.error->fault == Fault::disk_full) retry.not_before = {};
  }
}

void ImageSteps::evict(Record& record) {
  log_info("{} gives way in the store to what is newer (store.size); it stays in its sinks", record.title());
  record.evicted = true;
  if (record.joined) leave(record);
  start_discard(record);
}

}  // namespace imageswarm::coordinator
