#include "common/base/log.hpp"
#include "daemon/coordinator/image_steps.hpp"

// Images that were made here of others (`imageswarmctl deploy`), and how they go with those.

namespace imageswarm::coordinator {
namespace {

selection::Verdict verdict_of(flow::Retirement why) {
  using selection::Verdict;
  for (auto const verdict : {Verdict::expired, Verdict::withdrawn, Verdict::recalled, Verdict::superseded}) {
    if (retirement_of(verdict) == why) return verdict;
  }
  return Verdict::not_approved;
}

}  // namespace

Result<Derivable> ImageSteps::derivable(Uuid const& image_id) const {
  auto const at = records.find(image_id);
  if (at == records.end() || !at->second.selected())
    return fail(Fault::not_found, "image {} may not be used on this host; see imageswarmctl explain {}",
                image_id.text(), image_id.text());
  auto const& record = at->second;
  auto const* const kept = ledger.held(image_id);
  if (!record.complete || !kept || !kept->whole)
    return fail(Fault::not_found, "{} is not in the store, whole and verified; see imageswarmctl status",
                record.title());
  return Derivable{record.decision.want, artefact_of(record)};
}

/// It has no artefact in the store.
Result<> ImageSteps::hold_derived(flow::Want const& want) {
  departures.close(want.image.image_id);
  return ledger.hold({want, {}, true, around.clock.now(), false});
}

/// If its source went while it was put, it may have been forgotten already; the sink is asked once more to take it out
/// of use.
Result<> ImageSteps::record_derived(flow::Want const& want, flow::Receipt receipt) {
  auto const id = receipt.image_id;
  if (!ledger.held(id)) {
    if (auto const held = ledger.hold({want, {}, true, around.clock.now(), false}); !held) return held;
  }
  receipt.at = around.clock.now();
  auto done = ledger.record(std::move(receipt));
  if (departures.contains(id)) {
    departures.close(id);
    around.arrived();
  }
  return done;
}

/// What ends the use of an image ends that of all that was made of it, and what has begun to go goes on; a newer
/// version ends nothing, as nobody has made anything of that.
void ImageSteps::add_derived(selection::Plan& plan) const {
  std::map<Uuid, selection::Decision> ended;
  for (auto const& decision : plan.decisions) {
    auto const why = retirement_of(decision.verdict);
    if (why && *why != flow::Retirement::superseded) ended.emplace(decision.want.image.image_id, decision);
  }
  for (auto const& [id, held] : ledger.all_held()) {
    if (!held.want.derived_from) continue;
    auto const source = ended.find(*held.want.derived_from);
    auto departure = departures.all().find(id);
    if (departure == departures.all().end()) departure = departures.all().find(*held.want.derived_from);
    if (departure != departures.all().end() && departure->second.why == flow::Retirement::superseded) {
      departure = departures.all().end();
    }
    if (source == ended.end() && departure == departures.all().end()) continue;
    auto& decision = plan.decisions.emplace_back();
    if (source != ended.end()) {
      decision = source->second;
    } else {
      decision.verdict = verdict_of(departure->second.why);
      decision.reasons = {{"what it was made of", departure->second.reason, false}};
    }
    decision.want = held.want;
  }
}

}  // namespace imageswarm::coordinator
