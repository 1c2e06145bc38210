#include "daemon/coordinator/record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "common/base/text.hpp"

namespace imageswarm::coordinator {
namespace {

state::SinkState shown_sink(SinkRecord const& sink) {
  using state::SinkState;
  if (sink.receipt) return SinkState::present;
  if (sink.working) return SinkState::working;
  return sink.retry.error ? SinkState::failed : SinkState::absent;
}

double share(std::uint64_t part, ByteCount whole) {
  if (whole.value == 0) return 1;
  return std::min(1.0, static_cast<double>(part) / static_cast<double>(whole.value));
}

/// The rest of an artefact that is begun early must be expected within so long, at the rate of now: else it would keep
/// Glance waiting.
constexpr std::chrono::duration<double> early_enough = std::chrono::minutes{2};

/// An eighth in order says that pieces come in order at all, and of several hosts lets the fastest be the one that
/// uploads.
bool may_begin_early(Record const& record) {
  if (!record.arrival || record.complete) return false;
  auto const whole = record.decision.want.image.torrent.content_size;
  auto const rest = static_cast<double>(whole.value) * (1 - record.transfer.progress);
  auto const rate = static_cast<double>(record.transfer.download_rate.bytes_per_second);
  return record.arrival->in_order().value >= whole.value / 8 && rest <= rate * early_enough.count();
}

std::optional<double> progress_of(Record const& record, state::ImageState shown) {
  using state::ImageState;
  switch (shown) {
    case ImageState::fetching:
      return record.transfer.progress;
    case ImageState::registering:
    case ImageState::preparing:
      return share(record.moved->load(), record.decision.want.image.content_size);
    case ImageState::active:
      return 1.0;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string Record::title() const {
  auto const& image = decision.want.image;
  return fmt::format("{} {} ({})", printable(image.name), printable(image.version.text), image.image_id.text());
}

bool Record::active() const {
  return shown_state(facts_of(*this, false)) == state::ImageState::active;
}

Retry const* Record::trouble() const {
  if (retry.error) return &retry;
  auto const at = std::ranges::find_if(sinks, [](SinkRecord const& sink) { return sink.retry.error.has_value(); });
  return at == sinks.end() ? nullptr : &at->retry;
}

Facts facts_of(Record const& record, bool paused) {
  Facts facts{.verdict = record.decision.verdict,
              .may_fetch = record.decision.may_fetch && !paused,
              .may_seed = record.decision.may_seed && !paused,
              .located = record.located.has_value(),
              .filled = record.located && (record.located->in_place || record.located->pieces_here),
              .joined = record.joined,
              .complete = record.complete,
              .verified = record.verified.has_value(),
              .has_files = record.has_files,
              .evicted = record.evicted,
              .early = may_begin_early(record),
              .feeding = std::ranges::any_of(record.sinks, &SinkRecord::working),
              .due = record.retry.due(),
              .sinks = {}};
  for (auto const& sink : record.sinks)
    facts.sinks.push_back({sink.fact, sink.retry.due(), sink.owed, sink.superseded});
  return facts;
}

state::ImageStatus status_of(Record const& record) {
  auto const& want = record.decision.want;
  state::ImageStatus row;
  row.image_id = want.image.image_id;
  row.uuid = want.image.uuid;
  row.name = want.image.name;
  row.version = want.image.version;
  row.endorser = want.provenance.endorser;
  row.catalogue = want.provenance.catalogue;
  row.artefact_size = want.image.torrent.content_size;
  row.reasons = record.decision.reasons;
  auto const* trouble = record.trouble();
  row.error = trouble ? trouble->error : record.stall;
  row.state = shown_state(facts_of(record, false));
  bool const failed = trouble && record.selected() && row.state != state::ImageState::active;
  if (failed) row.state = state::ImageState::failed;
  row.progress = progress_of(record, row.state);
  row.download_rate = record.transfer.download_rate;
  row.upload_rate = record.transfer.upload_rate;
  row.from_peers = record.transfer.from_peers;
  row.from_web_seeds = record.transfer.from_web_seeds;
  row.found_here = record.transfer.found_here;
  row.uploaded = record.transfer.uploaded;
  row.peers = record.transfer.peers;
  for (auto const& sink : record.sinks) {
    row.sinks.push_back({.type = std::string{sink.sink->type()},
                         .name = sink.sink->name(),
                         .state = shown_sink(sink),
                         .reference = sink.receipt ? sink.receipt->reference : "",
                         .error = sink.retry.error});
  }
  return row;
}

std::chrono::seconds retry_delay(Fault fault, unsigned failures) {
  using namespace std::chrono_literals;
  if (class_of(fault) == FaultClass::refused) return 1h;
  return std::min<std::chrono::seconds>(2s * (1 << std::min(failures, 10u)), 5min);
}

}  // namespace imageswarm::coordinator
