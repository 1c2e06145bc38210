#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "common/http/client.hpp"
#include "daemon/control/control.hpp"

namespace imageswarm::control {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

/// Collects the samples of one metric.
class Family {
public:
  Family(MetricType type, std::string name, std::string help)
      : family_{"imageswarm_" + std::move(name), std::move(help), type, {}} {}

  Family& add(double value, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    (family_.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    family_.metric.push_back(std::move(metric));
    return *this;
  }
  operator MetricFamily() const { return family_; }

private:
  MetricFamily family_;
};

Family gauge(std::string name, std::string help) {
  return {MetricType::Gauge, std::move(name), std::move(help)};
}
Family counter(std::string name, std::string help) {
  return {MetricType::Counter, std::move(name), std::move(help)};
}

double number(std::uint64_t value) {
  return static_cast<double>(value);
}
double limit(Rate rate) {
  return rate.unlimited() ? std::numeric_limits<double>::infinity() : number(rate.bytes_per_second);
}
double timestamp(TimePoint time) {
  return static_cast<double>(time.time_since_epoch().count());
}

MetricFamily image_counts(state::Board const& board) {
  std::map<state::ImageState, double> counts;
  for (auto const& image : board.images) ++counts[image.state];
  auto family = gauge("images", "Images of the catalogues that this host follows, by state.");
  for (int i = 0; i <= static_cast<int>(state::ImageState::failed); ++i) {
    auto const state = static_cast<state::ImageState>(i);
    family.add(counts[state], {{"state", std::string{name_of(state)}}});
  }
  return family;
}

MetricFamily sink_counts(state::Board const& board) {
  std::map<std::pair<std::string, std::string_view>, double> counts;
  for (auto const& image : board.images) {
    for (auto const& sink : image.sinks) ++counts[{sink.name, name_of(sink.state)}];
  }
  auto family = gauge("sink_images", "Images of a sink, by state there.");
  for (auto const& [key, count] : counts) {
    family.add(count, {{"sink", key.first}, {"state", std::string{key.second}}});
  }
  return family;
}

/// One series per image: a sum would fall when an image leaves, and look like a restart.
void add_transfers(std::vector<MetricFamily>& page, state::Board const& board) {
  auto received = counter("image_received_bytes_total", "Bytes of an image's artefact that came here, by source.");
  auto uploaded = counter("image_uploaded_bytes_total", "Bytes of an image's artefact that were sent to peers.");
  auto peers = gauge("image_peers", "Peers that are connected for an image.");
  std::uint64_t down = 0, up = 0;
  for (auto const& image : board.images) {
    // Catalogues may list thousands of images for others.
    if (image.state == state::ImageState::not_selected || image.state == state::ImageState::not_approved) continue;
    down += image.download_rate.bytes_per_second;
    up += image.upload_rate.bytes_per_second;
    auto const labels = [&](char const* source = nullptr) {
      Labels list{{"image_id", image.image_id.text()}, {"name", image.name}};
      if (source != nullptr) list.push_back({"source", source});
      return list;
    };
    received.add(number(image.from_peers.value), labels("peers"))
        .add(number(image.from_web_seeds.value), labels("web-seed"))
        .add(number(image.found_here.value), labels("local"));
    uploaded.add(number(image.uploaded.value), labels());
    peers.add(image.peers, labels());
  }
  page.insert(page.end(), {received, uploaded, peers,
                           gauge("download_bytes_per_second", "Present download rate of the host.").add(number(down)),
                           gauge("upload_bytes_per_second", "Present upload rate of the host.").add(number(up))});
}

void add_subscriptions(std::vector<MetricFamily>& page, state::Board const& board) {
  auto current = gauge("subscription_state", "1 for the state that a subscription is in.");
  auto fault = gauge("subscription_fault", "1 for the fault that a subscription has at present (docs/faults.md).");
  auto serial = gauge("subscription_serial", "Serial of the accepted document.");
  auto refreshed = gauge("subscription_refreshed_timestamp_seconds", "When the source last answered.");
  auto expires = gauge("subscription_expires_timestamp_seconds", "When the accepted document expires.");
  for (auto const& subscription : board.subscriptions) {
    Labels labels{{"kind", std::string{document::name_of(subscription.kind)}},
                  {"name", subscription.name},
                  {"url", http::shown(subscription.url)}};
    // A list may name several endorsers of one catalogue, and each is followed.
    if (!subscription.endorser.empty()) labels.push_back({"endorser", subscription.endorser});
    auto with_state = labels;
    with_state.push_back({"state", std::string{name_of(subscription.state)}});
    current.add(1, std::move(with_state));
    if (subscription.error) {
      auto with_fault = labels;
      with_fault.push_back({"fault", std::string{word(subscription.error->fault)}});
      fault.add(1, std::move(with_fault));
    }
    if (subscription.serial) serial.add(number(*subscription.serial), labels);
    if (subscription.refreshed) refreshed.add(timestamp(*subscription.refreshed), labels);
    if (subscription.expires) expires.add(timestamp(*subscription.expires), labels);
  }
  page.insert(page.end(), {current, fault, serial, refreshed, expires});
}

MetricFamily receipts(state::Board const& board) {
  std::map<std::string, double> counts;
  for (auto const& receipt : board.receipts) ++counts[receipt.sink];
  auto family = gauge("receipts", "Receipts: images that are in a sink and were compared there.");
  for (auto const& [sink, count] : counts) family.add(count, {{"sink", sink}});
  return family;
}

MetricFamily unconfirmed(state::Board const& board) {
  auto const count =
      std::ranges::count_if(board.departures, [](auto const& departure) { return !state::confirmed_at(departure); });
  return gauge("departures_unconfirmed",
               "Recalled, withdrawn, expired or no longer approved, and still seeded or used.")
      .add(static_cast<double>(count));
}

MetricFamily hooks_waiting(state::Board const& board) {
  auto family = gauge("hook_waiting", "Events that a hook must still be told.");
  for (auto const& hook : board.hooks) family.add(number(hook.waiting), {{"hook", hook.name}});
  return family;
}

MetricFamily faults(state::Board const& board) {
  auto family = counter("faults_total", "Faults since the start, by word (docs/faults.md).");
  for (auto const& [fault, count] : board.faults) family.add(number(count), {{"fault", fault}});
  return family;
}

std::vector<MetricFamily> page_of(state::Board const& board) {
  std::vector<MetricFamily> page{
      gauge("build_info", "1; the version is in the label.").add(1, {{"version", IMAGESWARM_VERSION}}),
      gauge("paused", "1 while transfers are paused by the operator.").add(board.paused ? 1 : 0),
      gauge("first_round_done", "1 once every subscription was asked since the start.")
          .add(board.first_round_done ? 1 : 0),
      image_counts(board),
      sink_counts(board),
      gauge("download_limit_bytes_per_second", "Download limit of the host; +Inf without one.")
          .add(limit(board.limits.download_rate)),
      gauge("upload_limit_bytes_per_second", "Upload limit of the host; +Inf without one.")
          .add(limit(board.limits.upload_rate)),
      gauge("far_download_limit_bytes_per_second", "Download limit for hosts outside the site; +Inf without one.")
          .add(limit(board.limits.far_download_rate)),
      gauge("far_upload_limit_bytes_per_second", "Upload limit for hosts outside the site; +Inf without one.")
          .add(limit(board.limits.far_upload_rate)),
      receipts(board),
      unconfirmed(board),
      hooks_waiting(board),
      faults(board)};
  add_transfers(page, board);
  add_subscriptions(page, board);
  std::erase_if(page, [](auto const& family) { return family.metric.empty(); });
  return page;
}

}  // namespace

http::ServerResponse handle_metrics(http::ServerRequest const& request, state::Board const& board) {
  std::string_view const target = request.target;
  if (target.substr(0, target.find('?')) != "/metrics") return {404, "text/plain", "the page is /metrics\n"};
  if (request.method != "GET") return {405, "text/plain", "GET only\n"};
  return {200, "text/plain; version=0.0.4; charset=utf-8", prometheus::TextSerializer{}.Serialize(page_of(board))};
}

}  // namespace imageswarm::control
