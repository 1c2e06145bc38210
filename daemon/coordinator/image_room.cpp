#include <algorithm>

#include "common/base/log.hpp"
#include "daemon/coordinator/image_steps.hpp"

// Room in the store, for what this host fetches itself: its budget (`store.size`), and the file system.

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

/// Makes room for an artefact that shall be fetched, in the budget and in the file system: versions that newer ones
/// have replaced here give way, the oldest first, and stay in their sinks. Fault: disk-full, and then nothing gave way;
/// or, where the file system is full, it is tried again as soon as what gave way is gone.
Result<> ImageSteps::make_room(Record const& record) {
  auto held = size_of(record);
  ByteCount leaving;
  std::vector<Record*> replaceable;
  for (auto& [id, other] : records) {
    if (&other == &record || !other.has_files) continue;
    (other.evicted ? leaving : held) += size_of(other);
    if (!other.evicted && other.active() && !other.in_flight && has_newer_active(other)) replaceable.push_back(&other);
  }
  auto const since = [this](Record const* other) {
    auto const* const kept = ledger.held(other->id());
    return kept ? kept->since : TimePoint{};
  };
  std::ranges::stable_sort(replaceable, {}, since);
  auto const over = store.size ? held - *store.size : ByteCount{};
  auto const lacking = record.located ? record.located->lacking : ByteCount{};
  auto const needed = std::max(over, lacking - leaving);
  ByteCount freed;
  auto enough = replaceable.begin();
  // One that has itself been replaced takes no other's place.
  while (enough != replaceable.end() && freed < needed && !has_newer_active(record)) freed += size_of(**enough++);
  if (freed < over) {
    return fail(Fault::disk_full,
                "with this image the store would hold {}, and store.size is {}; raise it or keep fewer images",
                human(held), human(*store.size));
  }
  if (freed < needed) {
    return fail(Fault::disk_full, "{} more are needed in {}; make room there or set another store.directory",
                human(lacking), store.directory.native());
  }
  for (auto at = replaceable.begin(); at != enough; ++at) evict(**at);
  if (lacking.value == 0) return {};
  return fail(Fault::disk_full, "{} more are needed in {}; versions that newer ones have replaced give way",
              human(lacking), store.directory.native());
}

/// What waited for it is tried at once.
void ImageSteps::room_was_made() {
  for (auto& [id, record] : records) {
    auto& retry = record.retry;
    if (!record.joined && retry.error && retry.error->fault == Fault::disk_full) retry.not_before = {};
  }
}

void ImageSteps::evict(Record& record) {
  log_info("{} gives way in the store to what is newer; it stays in its sinks", record.title());
  record.evicted = true;
  if (record.joined) leave(record);
  start_discard(record);
}

}  // namespace imageswarm::coordinator
