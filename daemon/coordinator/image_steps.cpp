#include "daemon/coordinator/image_steps.hpp"

#include <algorithm>
#include <random>
#include <tuple>
#include <utility>

#include "common/base/log.hpp"

namespace imageswarm::coordinator {
namespace {

/// Jobs that read whole images: as many as a small hypervisor has cores to spare.
constexpr int max_heavy_jobs = 2;

/// Somewhere in the minute in which the hosts of a cloud take their turns.
std::chrono::seconds turn_of_this_host() {
  std::random_device random;
  return std::chrono::seconds{std::uniform_int_distribution{5, 60}(random)};
}

bool same_endorsement(flow::Want const& a, flow::Want const& b) {
  auto const &first = a.provenance, &second = b.provenance;
  return a.endorser.same_identity(b.endorser) && first.catalogue == second.catalogue &&
         first.catalogue_url == second.catalogue_url && first.approval == second.approval;
}

/// All that a sink may say of an image.
bool same_description(document::Image const& a, document::Image const& b) {
  auto const described = [](document::Image const& image) {
    return std::tie(image.name, image.os_distro, image.os_version, image.architecture, image.hypervisor,
                    image.volume_size, image.min_disk_gib, image.min_ram_mib, image.glance_properties,
                    image.glance_tags);
  };
  return described(a) == described(b);
}

bool same_torrent(document::Torrent const& a, document::Torrent const& b) {
  return a.file_sha256 == b.file_sha256 && a.content_name == b.content_name;
}

}  // namespace

void ImageSteps::take_stock(Record& record) {
  std::error_code error;
  if (auto const* kept = ledger.held(record.id())) {
    record.held = true;
    record.in_place = kept->in_place;
    record.complete = kept->whole && std::filesystem::exists(kept->artefact, error);
  }
  auto const paths = paths_of(store.directory, record.decision.want.image);
  record.has_files = !record.in_place && std::filesystem::exists(paths.directory, error);
  attach_sinks(record);
  note_departure(record);
  note_endorsement(record);
}

void ImageSteps::attach_sinks(Record& record) {
  record.sinks.clear();
  for (auto const& sink : sinks) {
    auto receipt = ledger.receipt(record.id(), sink->name());
    auto const fact = receipt ? SinkFact::unchecked : SinkFact::unknown;
    record.sinks.push_back({.sink = sink, .fact = fact, .receipt = std::move(receipt), .retry = {}});
  }
  note_owed(record);
}

/// Nobody else looks after a sink that does not want the image: whatever is there goes, with or without a receipt, as a
/// `put` may have been cut off.
void ImageSteps::note_owed(Record& record) const {
  for (auto& sink : record.sinks) {
    auto const& name = sink.sink->name();
    sink.superseded = record.selected() && record.decision.superseded_in.contains(name);
    sink.owed = departures.owed(record.id(), name) || (sink.superseded && sink.fact != SinkFact::absent);
  }
}

/// Whatever was here and has to go is written down, and every sink has to answer for it: a `put` may have been cut off
/// in any of them.
void ImageSteps::note_departure(Record& record) {
  auto const why = retirement_of(record.decision.verdict);
  if (!why) {
    if (record.selected()) departures.close(record.id());
  } else {
    bool const has_receipt = std::ranges::count(ledger.receipts(), record.id(), &flow::Receipt::image_id) > 0;
    bool const was_here = record.held || record.has_files || record.joined || has_receipt;
    auto const now = around.clock.now();
    auto const* const kept = ledger.held(record.id());
    auto const& want = kept ? kept->want : record.decision.want;
    // A catalogue's withdrawal carries no entry. What is here of it was not whole: no sink has it, it is only
    // discarded.
    bool const has_entry = !want.image.name.empty();
    if (!(was_here && has_entry) && !departures.contains(record.id())) return;
    auto const& reasons = record.decision.reasons;
    state::Departure departure{.want = want,
                               .why = *why,
                               .reason = reasons.empty() ? "" : reasons.back().answer,
                               .since = now,
                               .unseeded = {},
                               .discarded = {},
                               .sinks = {}};
    for (auto const& sink : record.sinks) {
      departure.sinks.push_back({.name = sink.sink->name(),
                                 .type = std::string{sink.sink->type()},
                                 .reference = sink.receipt ? sink.receipt->reference : "",
                                 .effect = {},
                                 .used_by = {},
                                 .at = {},
                                 .error = {}});
    }
    departures.open(std::move(departure));
  }
  if (!record.joined) departures.unseeded(record.id(), around.clock.now());
  note_owed(record);
}

/// Others may vouch for it now than when it came: after a restart it stands by their word, though no catalogue can be
/// verified then.
void ImageSteps::note_endorsement(Record const& record) {
  auto const* const kept = ledger.held(record.id());
  if (!kept || !record.decision.is_endorsed_now || same_endorsement(kept->want, record.decision.want)) return;
  auto renewed = *kept;
  renewed.want = record.decision.want;
  if (auto const done = ledger.hold(std::move(renewed)); !done) log_warning("{}", done.error().line());
}

void ImageSteps::take_decision(Record& record, selection::Decision decision) {
  auto const before = std::exchange(record.decision, std::move(decision));
  auto const& now = record.decision;
  bool const was_selected = before.verdict == selection::Verdict::selected;
  bool const other_torrent =
      record.located && record.selected() && !same_torrent(before.want.image.torrent, now.want.image.torrent);
  if (other_torrent || (was_selected && !record.selected())) {
    record.cancel.request_stop();
    record.cancel = {};
    record.verified.reset();  // closes the descriptor, so that a removed file gives its space back
  }
  if (before.verdict != now.verdict || other_torrent) {
    record.retry = {};
    for (auto& sink : record.sinks) sink.retry = {};
  }
  if (other_torrent) {
    if (record.joined) leave(record);
    record.located.reset();
    record.complete = false;
  } else if (record.joined && record.selected() &&
             (before.want.trackers != now.want.trackers || before.want.web_seeds != now.want.web_seeds)) {
    join(record);
  }
  if (record.selected() && !same_description(before.want.image, now.want.image)) check_again(record);
  note_departure(record);
  note_endorsement(record);
}

/// Who has put it there looks first: then the others, each at its own time, mostly find nothing left to do.
void ImageSteps::check_again(Record& record) {
  for (auto& sink : record.sinks) {
    if (sink.fact != SinkFact::present) continue;
    sink.fact = SinkFact::unchecked;
    if (!sink.receipt->uploaded_here) sink.retry.not_before = std::chrono::steady_clock::now() + turn_of_this_host();
  }
}

void ImageSteps::advance_all() {
  for (auto& [id, record] : records) advance(record);
}

void ImageSteps::advance(Record& record) {
  record.evicted = record.evicted && record.active() && has_newer_active(record);
  for (;;) {
    auto const next = next_step(facts_of(record, paused));
    if (next.step == Step::leave) {  // also while a job is under way: what is recalled stops at once
      leave(record);
      continue;
    }
    if (record.in_flight) return;
    if (!may_start(load_of(record, next))) return;
    switch (next.step) {
      case Step::none:
      case Step::leave:
        if (record.located) record.located->pieces_here.reset();  // it may be long until it joins
        return release_if_nothing_is_left(record);
      case Step::join:
        if (!join(record)) return;
        break;
      case Step::locate:
        return start_locate(record);
      case Step::fill:
        return start_fill(record);
      case Step::run_ahead:
        return start_ahead(record);
      case Step::verify:
        return start_verify(record);
      case Step::check_sink:
        return start_check(record, next.sink);
      case Step::put:
        return start_put(record, next.sink);
      case Step::retire:
        return start_retire(record, next.sink);
      case Step::discard:
        return start_discard(record);
    }
  }
}

/// What is no job counts as one that may start at any time. What is no Glance is asked by reading its file; to locate
/// an image is mostly to wait for a web server or neighbours.
ImageSteps::Load ImageSteps::load_of(Record const& record, Next const& next) const {
  switch (next.step) {
    case Step::locate:
      return store.seed_from.empty() ? Load::light : Load::heavy;
    case Step::fill:
    case Step::verify:
    case Step::put:
      return Load::heavy;
    case Step::check_sink:
      return record.sinks[next.sink].sink->type() == "glance" ? Load::light : Load::heavy;
    case Step::run_ahead:
      return Load::ahead;
    case Step::none:
    case Step::join:
    case Step::leave:
    case Step::retire:
    case Step::discard:
      break;
  }
  return Load::retiring;
}

bool ImageSteps::may_start(Load load) const {
  if (load == Load::retiring) return true;
  if (load == Load::ahead) return !paused && ahead_jobs_ < static_cast<int>(around.ahead_workers.threads());
  if (load == Load::heavy && (heavy_jobs_ >= max_heavy_jobs || paused)) return false;
  return jobs_ < static_cast<int>(around.workers.threads());
}

bool ImageSteps::join(Record& record) {
  auto const paths = paths_of(store.directory, record.decision.want.image);
  bool const may_run_ahead = !record.joined && !record.in_place && !record.decision.want.image.torrent.chunks;
  auto const arrival = may_run_ahead ? std::make_shared<flow::Arrival>() : nullptr;
  auto const added =
      around.swarm.add({.image_id = record.id(),
                        .torrent = record.located->torrent,
                        .directory = record.located->directory,
                        .resume_file = paths.resume,
                        .in_place = record.located->in_place,
                        .trackers = record.decision.want.trackers,
                        .web_seeds = record.decision.want.web_seeds,
                        .pieces_here = std::exchange(record.located->pieces_here, {}).value_or(std::vector<bool>{}),
                        .arrival = arrival});
  if (arrival) record.arrival = arrival;
  if (!added) failed(record, record.retry, added.error());
  record.joined = added.has_value();
  return record.joined;
}

void ImageSteps::leave(Record& record) {
  around.swarm.remove(record.id());
  record.joined = false;
  record.arrival.reset();
  departures.unseeded(record.id(), around.clock.now());
  record.stall.reset();
  record.transfer.download_rate = record.transfer.upload_rate = Rate{0};
  record.transfer.peers = 0;
}

void ImageSteps::on_swarm_event(Record& record, swarm::Event const& event) {
  switch (event.kind) {
    case swarm::Event::Kind::complete:
      record.complete = true;
      record.stall.reset();
      // Fetched anew after a wrong digest, it is looked at once more at once; after that the torrent itself is wrong.
      if (!record.retry.refused() || record.retry.failures < 2) record.retry.not_before = {};
      break;
    case swarm::Event::Kind::recovered:
      record.stall.reset();
      if (!record.retry.refused()) succeeded(record.retry);
      break;
    case swarm::Event::Kind::stalled:
      if (!record.stall) log_warning("image {}: {}", record.title(), event.error.line());
      around.said(event.error.fault);
      record.stall = event.error;
      break;
    case swarm::Event::Kind::failed:
      if (event.error.fault == Fault::hash_mismatch) {
        verification_failed(record, event.error);
      } else {
        failed(record, record.retry, event.error);
      }
      break;
    case swarm::Event::Kind::news:
      break;  // of documents
  }
  advance(record);
}

void ImageSteps::look_for_room() {
  bool room = false;
  for (auto& [id, record] : records) {
    auto& retry = record.retry;
    bool const was_full = record.joined && retry.error && retry.error->fault == Fault::disk_full;
    if (!was_full || !retry.due()) continue;
    auto const lacking = lacking_room(record.decision.want, record.located->zeros, store.directory);
    record.located->lacking = lacking.value_or(ByteCount{});
    if (auto const enough = lacking ? make_room(record) : fail(lacking.error()); !enough) {
      failed(record, retry, enough.error());
      continue;
    }
    retry.error.reset();
    room = true;
  }
  if (room) around.swarm.resume_after_disk_full();
}

}  // namespace imageswarm::coordinator
