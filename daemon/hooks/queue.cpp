#include "daemon/hooks/queue.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "common/base/log.hpp"

namespace imageswarm::hooks {
namespace {

bool asks_for(flow::HookSettings const& hook, flow::EventKind kind) {
  return hook.events.empty() || std::ranges::find(hook.events, kind) != hook.events.end();
}

}  // namespace

std::chrono::seconds retry_delay(unsigned failures) {
  using namespace std::chrono_literals;
  return std::min<std::chrono::seconds>(5s * (1 << std::min(failures - 1, 10u)), 1h);
}

Result<> Queue::load() {
  auto announced = state_.announcements();
  if (!announced) return fail(std::move(announced.error()));
  for (auto& one : *announced) announced_.insert_or_assign(one.image_id, one);
  return {};
}

Result<> Queue::configure(std::string host, std::vector<flow::HookSettings> hooks) {
  auto stored = state_.deliveries();
  if (!stored) return fail(std::move(stored.error()));
  host_ = std::move(host);
  std::vector<Hook> configured;
  for (auto& settings : hooks) {
    auto& hook = configured.emplace_back();
    if (auto const* const before = hook_named(settings.name())) {
      hook.running = before->running;
      hook.error = before->error;
    }
    hook.settings = std::move(settings);
  }
  hooks_ = std::move(configured);
  std::map<std::string, unsigned> dropped;
  for (auto& delivery : *stored) {
    if (auto* const hook = hook_named(delivery.hook)) {
      hook->waiting[delivery.number].delivery = std::move(delivery);
    } else {
      ++dropped[delivery.hook];
      forget_delivery(delivery.number);
    }
  }
  for (auto const& [name, count] : dropped) {
    log_warning("hook {} is no longer configured; dropped what waited for it: {} events", name, count);
  }
  return {};
}

Queue::Hook* Queue::hook_named(std::string const& name) {
  auto const at = std::ranges::find(hooks_, name, [](Hook const& hook) { return hook.settings.name(); });
  return at == hooks_.end() ? nullptr : &*at;
}

bool Queue::knows(state::Announcement const& announcement) const {
  auto const at = announced_.find(announcement.image_id);
  return at != announced_.end() && at->second == announcement;
}

Result<> Queue::announce(Event const& event, TimePoint now) {
  auto const& announcement = event.announcement;
  if (knows(announcement)) return {};
  auto const body = told(event, Uuid::random(), host_, now);
  std::vector<state::Delivery> deliveries;
  for (auto const& hook : hooks_) {
    if (!asks_for(hook.settings, announcement.event)) continue;
    deliveries.push_back({.number = 0,
                          .hook = hook.settings.name(),
                          .image_id = announcement.image_id,
                          .event = announcement.event,
                          .body = body,
                          .since = now});
  }
  if (auto done = state_.announce(announcement, deliveries); !done) return fail(std::move(done.error()).in("hooks"));
  announced_.insert_or_assign(announcement.image_id, announcement);
  for (auto& delivery : deliveries) {
    auto& hook = *hook_named(delivery.hook);
    hook.waiting[delivery.number].delivery = std::move(delivery);
    if (hook.waiting.size() <= most_waiting) continue;
    auto const oldest = std::ranges::find_if(hook.waiting, [&](auto const& one) { return one.first != hook.running; });
    give_up(hook, oldest->first, fmt::format("more than {} wait", most_waiting));
  }
  return {};
}

void Queue::forget(Uuid const& image_id) {
  if (announced_.erase(image_id) == 0) return;
  if (auto const done = state_.forget_announcement(image_id); !done) log_warning("hooks: {}", done.error().line());
}

/// The oldest of each image: the others wait for it.
std::vector<Queue::Waiting const*> Queue::heads_of(Hook const& hook) {
  std::set<Uuid> images;
  std::vector<Waiting const*> heads;
  for (auto const& [number, waiting] : hook.waiting) {
    if (images.insert(waiting.delivery.image_id).second) heads.push_back(&waiting);
  }
  return heads;
}

std::optional<Task> Queue::take(SteadyTime steady) {
  for (auto& hook : hooks_) {
    if (hook.running) continue;
    auto const heads = heads_of(hook);
    auto const first = std::ranges::min_element(heads, {}, &Waiting::not_before);
    if (first == heads.end() || (*first)->not_before > steady) continue;
    hook.running = (*first)->delivery.number;
    return Task{*hook.running, hook.settings, (*first)->delivery.body};
  }
  return std::nullopt;
}

/// Null where it is no longer configured.
Queue::Hook* Queue::hook_running(std::int64_t number) {
  auto const at = std::ranges::find(hooks_, std::optional{number}, &Hook::running);
  return at == hooks_.end() ? nullptr : &*at;
}

/// If that fails it is told once more after the next start.
void Queue::forget_delivery(std::int64_t number) {
  if (auto const gone = state_.forget_delivery(number); !gone) log_warning("hooks: {}", gone.error().line());
}

void Queue::remove(Hook& hook, std::int64_t number) {
  hook.waiting.erase(number);
  forget_delivery(number);
}

void Queue::delivered(std::int64_t number) {
  auto* const hook = hook_running(number);
  if (!hook) return;
  hook->running.reset();
  hook->error.reset();
  remove(*hook, number);
}

void Queue::failed(std::int64_t number, Error error, TimePoint now, SteadyTime steady) {
  auto* const hook = hook_running(number);
  if (!hook) return;
  hook->running.reset();
  hook->error = std::move(error);
  auto const at = hook->waiting.find(number);
  if (at == hook->waiting.end()) return;
  auto& waiting = at->second;
  auto const delay = retry_delay(++waiting.failures);
  waiting.not_before = steady + delay;
  auto const& delivery = waiting.delivery;
  if (now - delivery.since >= days_kept) {
    return give_up(*hook, number, fmt::format("{}, for {} days", hook->error->line(), days_kept.count()));
  }
  log_warning("hook {}, {} of {}: {}; retrying in {}", delivery.hook, name_of(delivery.event), delivery.image_id.text(),
              hook->error->line(), human(delay));
}

void Queue::give_up(Hook& hook, std::int64_t number, std::string_view why) {
  auto const& delivery = hook.waiting.at(number).delivery;
  log_error("hook {} is not told of {} of {} any more: {}", delivery.hook, name_of(delivery.event),
            delivery.image_id.text(), why);
  remove(hook, number);
}

std::optional<Queue::SteadyTime> Queue::next_try() const {
  std::optional<SteadyTime> next;
  for (auto const& hook : hooks_) {
    if (hook.running) continue;
    for (auto const* head : heads_of(hook)) next = std::min(next.value_or(head->not_before), head->not_before);
  }
  return next;
}

bool Queue::settled() const {
  return std::ranges::all_of(hooks_, [](Hook const& hook) {
    return !hook.running && std::ranges::all_of(heads_of(hook), [](Waiting const* head) { return head->failures > 0; });
  });
}

std::vector<state::HookStatus> Queue::statuses() const {
  std::vector<state::HookStatus> rows;
  for (auto const& hook : hooks_) {
    auto& row = rows.emplace_back(state::HookStatus{.name = hook.settings.name(),
                                                    .events = hook.settings.events,
                                                    .waiting = hook.waiting.size(),
                                                    .oldest = {},
                                                    .running = hook.running.has_value(),
                                                    .error = hook.error});
    if (!hook.waiting.empty()) row.oldest = hook.waiting.begin()->second.delivery.since;
  }
  return rows;
}

}  // namespace imageswarm::hooks
