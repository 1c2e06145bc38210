#include "daemon/coordinator/events.hpp"

#include <utility>

namespace imageswarm::coordinator {
namespace {

using flow::EventKind;
using flow::Retirement;
using state::ImageState;

std::pair<EventKind, ImageState> outcome_of(Retirement why) {
  switch (why) {
    case Retirement::superseded:
      return {EventKind::superseded, ImageState::superseded};
    case Retirement::recalled:
      return {EventKind::recalled, ImageState::recalled};
    case Retirement::expired:
      return {EventKind::withdrawn, ImageState::expired};
    case Retirement::not_approved:
      return {EventKind::withdrawn, ImageState::not_approved};
    case Retirement::withdrawn:
      break;
  }
  return {EventKind::withdrawn, ImageState::withdrawn};
}

state::SinkStatus status_of(state::DepartedSink const& sink) {
  auto const state = sink.reference.empty() ? state::SinkState::absent : state::SinkState::present;
  return {.type = sink.type, .name = sink.name, .state = state, .reference = sink.reference, .error = sink.error};
}

}  // namespace

std::optional<state::Announcement> announcement_of(Record const& record) {
  if (!record.selected()) return std::nullopt;
  if (record.active()) {
    std::string where;
    for (auto const& sink : record.sinks) {
      where += fmt::format("{} {}\n", sink.sink->name(), sink.receipt ? sink.receipt->reference : "");
    }
    return state::Announcement{record.id(), EventKind::available, std::move(where)};
  }
  auto const* const trouble = record.trouble();
  if (!trouble || !trouble->lasts()) return std::nullopt;
  return state::Announcement{record.id(), EventKind::failed, std::string{word(trouble->error->fault)}};
}

state::Announcement announcement_of(state::Departure const& departure) {
  return {departure.want.image.image_id, outcome_of(departure.why).first, std::string{name_of(departure.why)}};
}

hooks::Event event_of(Record const& record, state::Announcement announcement) {
  auto status = status_of(record);
  return {.announcement = std::move(announcement),
          .want = record.decision.want,
          .state = status.state,
          .reason = {},
          .sinks = std::move(status.sinks),
          .error = std::move(status.error)};
}

hooks::Event event_of(state::Departure const& departure) {
  hooks::Event event{.announcement = announcement_of(departure),
                     .want = departure.want,
                     .state = outcome_of(departure.why).second,
                     .reason = departure.reason,
                     .sinks = {},
                     .error = {}};
  for (auto const& sink : departure.sinks) event.sinks.push_back(status_of(sink));
  return event;
}

}  // namespace imageswarm::coordinator
