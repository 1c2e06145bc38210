#include "daemon/coordinator/coordinator.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "common/base/boot.hpp"
#include "common/base/log.hpp"
#include "daemon/selection/loss.hpp"

namespace imageswarm::coordinator {
namespace {

constexpr std::chrono::seconds busy_tick{1};
constexpr std::chrono::seconds idle_tick{15};

/// Of a host without sinks, which only passes images on.
constexpr unsigned kept_without_sinks = 1;

}  // namespace

Coordinator::Coordinator(Surroundings surroundings)
    : around_{std::move(surroundings)},
      clock_{{around_.state, boot_id(), around_.read_clocks, [this](Fault fault) { count(fault); }}},
      hooks_{around_.state},
      hook_runs_{around_.loop, around_.hook_workers, hooks_, clock_, [this](Fault fault) { count(fault); }},
      images_{{around_.loop, around_.workers, around_.ahead_workers, around_.retirement_workers, around_.state,
               around_.swarm, around_.neighbours, clock_, [this](Fault fault) { count(fault); },
               [this] {
                 boost::asio::post(around_.loop, [this] {
                   if (!documents_.loading()) replan();  // otherwise there is a plan as soon as all are loaded
                 });
               },
               hooks_}},
      deployments_{{around_.deployment_worker, images_, [this]() -> state::Board const& { return board(); }}},
      documents_{{around_.loop, around_.document_workers, around_.urgent_workers, around_.state, clock_,
                  around_.neighbours, [this] { replan(); },
                  [this](Subscription const& source, Document const& version) { return hold_back(source, version); },
                  [this](Fault fault) { count(fault); }}},
      anchor_watch_{around_.loop, [this] { documents_.judge_again(); }},
      ticker_{around_.loop} {}

Result<> Coordinator::configure(flow::Settings const& settings, std::vector<std::shared_ptr<sinks::Sink>> sinks) {
  bool const is_first = !std::exchange(loaded_, true);
  if (is_first) {
    if (auto done = images_.load().and_then([this] { return hooks_.load(); }); !done) return done;
  }
  flow::HostRates const& rates = settings.swarm;
  bool const same_rates = rates == settings_.swarm;
  settings_ = settings;
  board_.host = settings.host.name;
  if (is_first || !same_rates) {
    board_.limits = rates;
  } else {  // what `imageswarmctl limit` said holds until the file says something else
    around_.swarm.set_rates(board_.limits);
  }
  if (auto done = hooks_.configure(settings.host.name, settings.hooks); !done) return done;
  if (is_first) images_.announce_departures();
  hook_runs_.look();
  images_.configure(settings.store, std::move(sinks));
  deployments_.configure(settings.grids, settings.store.directory);
  if (auto done = documents_.configure(settings.subscriptions,
                                       {settings.trust.anchors, settings.trust.crl, settings.trust.namespaces});
      !done) {
    return done;
  }
  watch_anchors();
  schedule_tick();
  return {};
}

void Coordinator::watch_anchors() {
  if (auto done = anchor_watch_.watch(settings_.trust.anchors); !done) {
    log_warning("a change of the trust anchors counts with the next refresh only: {}", done.error().line());
  }
}

void Coordinator::count(Fault fault) {
  ++board_.faults[std::string{word(fault)}];
}

void Coordinator::replan() {
  look_at_clock();
  if (!held_) carry_out_plan();
  board_.first_round_done = documents_.settled();
  schedule_tick();
  look_whether_settled();
}

/// What was held is looked at again as soon as the clock can be believed.
void Coordinator::look_at_clock() {
  clock_.look();
  bool const was_held = std::exchange(held_, clock_.trouble().has_value());
  if (was_held && !held_) documents_.refresh_now();
}

void Coordinator::carry_out_plan() {
  images_.carry_out(selection::select(input_with(documents_.catalogues())), documents_.all_trusted());
  hook_runs_.look();
}

selection::Input Coordinator::input_with(std::vector<selection::Source<document::Catalogue>> catalogues) const {
  return {.host = settings_.host,
          .policy = settings_.approvals,
          .select = settings_.select,
          .catalogues = std::move(catalogues),
          .approvals = documents_.approvals(),
          .endorsers_known = documents_.endorsers_known(),
          .held = images_.held(),
          .departed = images_.departed(),
          .keepers = keepers(),
          .now = clock_.now()};
}

std::vector<selection::Keeper> Coordinator::keepers() const {
  if (settings_.sinks.empty()) return {{"", kept_without_sinks, images_.active()}};
  std::vector<selection::Keeper> keepers;
  for (auto const& sink : settings_.sinks) keepers.push_back({sink.name, sink.keep, images_.present_in(sink.name)});
  return keepers;
}

/// A source's first document replaces nothing; an approval list may take back whatever it wants.
std::optional<Error> Coordinator::hold_back(Subscription const& source, Document const& version) const {
  auto const percent = settings_.trust.mass_withdrawal_percent;
  if (!source.bytes || source.settings.kind == document::Kind::approval_list || percent >= 100) return std::nullopt;
  auto const loss = selection::loss_between(input_with(documents_.catalogues()),
                                            input_with(documents_.catalogues_with(source, version)));
  if (!loss.exceeds(percent)) return std::nullopt;
  auto const& header = version.header();
  return Error{Fault::mass_withdrawal,
               fmt::format("serial {} would withdraw {} of the {} images that are here, more than the {}% of "
                           "trust.mass-withdrawal; if that is meant: imageswarmctl confirm {}",
                           header.serial, loss.withdrawn, loss.held, percent, header.name)};
}

Result<> Coordinator::confirm(std::string const& document) {
  return documents_.confirm(document);
}

void Coordinator::on_swarm_event(swarm::Event const& event) {
  if (event.kind == swarm::Event::Kind::news) return documents_.look_around(event.topics);
  images_.on_swarm_event(event);
  look_whether_settled();
}

void Coordinator::schedule_tick() {
  ticker_.expires_after(images_.busy() || when_settled_ ? busy_tick : idle_tick);
  ticker_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    look_at_clock();
    images_.tick();
    hook_runs_.look();
    look_whether_settled();
    schedule_tick();
  });
}

void Coordinator::when_settled(std::function<void()> done) {
  when_settled_ = std::move(done);
}

void Coordinator::look_whether_settled() {
  if (!when_settled_ || !documents_.settled() || !images_.settled() || !hooks_.settled()) return;
  boost::asio::post(around_.loop, std::exchange(when_settled_, nullptr));
}

int Coordinator::verdict() const {
  if (!documents_.any_trusted()) return 3;
  if (!documents_.settled() || documents_.any_refused() || !images_.all_active()) return 4;
  return 0;
}

std::string Coordinator::summary() const {
  std::map<std::string_view, unsigned> counts;
  for (auto const& image : images_.statuses()) ++counts[state::name_of(image.state)];
  std::string text;
  for (auto const& [name, count] : counts) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name);
  return text.empty() ? "no images" : text;
}

state::Board const& Coordinator::board() {
  images_.read_transfers();
  board_.subscriptions = documents_.statuses();
  board_.images = images_.statuses();
  board_.receipts = images_.receipts();
  board_.departures = images_.departures();
  board_.hooks = hooks_.statuses();
  board_.deployments = deployments_.statuses();
  return board_;
}

void Coordinator::refresh() {
  documents_.refresh_now();
}

void Coordinator::pause(bool paused) {
  board_.paused = paused;
  images_.pause(paused);
}

void Coordinator::limit(flow::HostRates const& rates) {
  board_.limits = rates;
  around_.swarm.set_rates(rates);
  log_info("limits are now: download {}, upload {}, far download {}, far upload {}", human(rates.download_rate),
           human(rates.upload_rate), human(rates.far_download_rate), human(rates.far_upload_rate));
}

Result<> Coordinator::deploy(std::string const& grid, bool only_show) {
  return deployments_.start(grid, only_show);
}

std::vector<control::PeerRow> Coordinator::peers(Uuid const& image_id) const {
  std::vector<control::PeerRow> rows;
  for (auto const& peer : around_.swarm.peers(image_id)) {
    rows.push_back({peer.address, peer.client, peer.progress, peer.download_rate, peer.upload_rate, peer.downloaded,
                    peer.uploaded});
  }
  return rows;
}

}  // namespace imageswarm::coordinator
