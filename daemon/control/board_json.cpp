#include "daemon/control/board_json.hpp"

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "common/http/client.hpp"

namespace imageswarm::control {
namespace {

using Json = nlohmann::ordered_json;

Json text_or_null(std::string const& text) {
  return text.empty() ? Json{} : Json(text);
}
Json time_or_null(std::optional<TimePoint> const& time) {
  return time ? Json(format_time(*time)) : Json{};
}
template <class T>
Json value_or_null(std::optional<T> const& value) {
  return value ? Json(*value) : Json{};
}
Json limit_or_null(Rate rate) {
  return rate.unlimited() ? Json{} : Json(rate.bytes_per_second);
}
void add_error(Json& json, std::optional<Error> const& error) {
  json["fault"] = error ? Json(word(error->fault)) : Json{};
  json["error"] = error ? Json(error->what) : Json{};
}

template <class T>
Json array_of(std::vector<T> const& items) {
  auto array = Json::array();
  for (auto const& item : items) array.push_back(to_json(item));
  return array;
}

Json words_of(std::string const& text) {
  auto words = Json::array();
  for (auto const word : split(text, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

/// What every object about an image begins with.
Json image_head(state::ImageStatus const& image) {
  return {{"image-id", image.image_id.text()},
          {"uuid", image.uuid.text()},
          {"name", image.name},
          {"image-version", image.version.text},
          {"endorser", text_or_null(image.endorser)}};
}

}  // namespace

Json to_json(state::SubscriptionStatus const& subscription) {
  Json json{{"name", text_or_null(subscription.name)},      {"kind", document::name_of(subscription.kind)},
            {"url", http::shown(subscription.url)},         {"epoch", value_or_null(subscription.epoch)},
            {"serial", value_or_null(subscription.serial)}, {"expires", time_or_null(subscription.expires)},
            {"state", name_of(subscription.state)}};
  add_error(json, subscription.error);
  json["neighbour"] = text_or_null(subscription.neighbour);
  return json;
}

Json to_json(state::SinkStatus const& sink) {
  Json json{{"type", sink.type},
            {"name", sink.name},
            {"state", name_of(sink.state)},
            {"reference", text_or_null(sink.reference)}};
  add_error(json, sink.error);
  return json;
}

Json to_json(state::ImageStatus const& image) {
  auto json = image_head(image);
  json["state"] = name_of(image.state);
  json["progress"] = value_or_null(image.progress);
  json["download-rate"] = image.download_rate.bytes_per_second;
  json["upload-rate"] = image.upload_rate.bytes_per_second;
  json["bytes"] = {{"peers", image.from_peers.value},
                   {"web-seed", image.from_web_seeds.value},
                   {"local", image.found_here.value},
                   {"uploaded", image.uploaded.value}};
  json["sinks"] = array_of(image.sinks);
  add_error(json, image.error);
  return json;
}

Json to_json(flow::Receipt const& receipt) {
  auto const& origin = receipt.provenance;
  return {{"image-id", receipt.image_id.text()},
          {"sink", receipt.sink},
          {"sink-type", receipt.sink_type},
          {"reference", receipt.reference},
          {"content-sha256", receipt.content_sha256.hex()},
          {"content-sha512", receipt.content_sha512.hex()},
          {"size", receipt.size.value},
          {"compared", words_of(receipt.compared)},
          {"at", format_time(receipt.at)},
          {"uploaded-here", receipt.uploaded_here},
          {"catalogue", origin.catalogue},
          {"catalogue-url", http::shown(origin.catalogue_url)},
          {"serial", origin.serial},
          {"catalogue-sha256", origin.catalogue_digest.hex()},
          {"endorser", origin.endorser},
          {"approval", origin.approval}};
}

Json to_json(state::DepartedSink const& sink) {
  Json json{{"type", sink.type},
            {"name", sink.name},
            {"reference", text_or_null(sink.reference)},
            {"done", sink.is_done() ? Json(flow::name_of(*sink.effect)) : Json{}},
            {"at", sink.is_done() ? time_or_null(sink.at) : Json{}},
            {"used-by", text_or_null(sink.used_by)}};
  add_error(json, sink.error);
  return json;
}

Json to_json(state::Departure const& departure) {
  auto const& image = departure.want.image;
  return {{"image-id", image.image_id.text()},
          {"uuid", image.uuid.text()},
          {"name", image.name},
          {"image-version", image.version.text},
          {"endorser", text_or_null(departure.want.provenance.endorser)},
          {"state", flow::name_of(departure.why)},
          {"reason", departure.reason},
          {"since", format_time(departure.since)},
          {"unseeded", time_or_null(departure.unseeded)},
          {"discarded", time_or_null(departure.discarded)},
          {"sinks", array_of(departure.sinks)},
          {"confirmed", time_or_null(state::confirmed_at(departure))}};
}

Json to_json(state::ComponentSink const& sink) {
  Json json{{"type", sink.type}, {"name", sink.name}, {"reference", text_or_null(sink.reference)}};
  add_error(json, sink.error);
  return json;
}

Json to_json(state::DeployedComponent const& component) {
  auto const id_or_null = [](std::optional<Uuid> const& id) { return id ? Json(id->text()) : Json{}; };
  Json json{{"name", component.name},
            {"image", component.image},
            {"form", component.form},
            {"needs", component.needs},
            {"state", name_of(component.state)},
            {"progress", value_or_null(component.progress)},
            {"derived-from", id_or_null(component.derived_from)},
            {"image-id", id_or_null(component.image_id)},
            {"sinks", array_of(component.sinks)}};
  add_error(json, component.error);
  return json;
}

Json to_json(state::Deployment const& deployment) {
  Json json{
      {"grid", deployment.grid}, {"running", deployment.running}, {"components", array_of(deployment.components)}};
  add_error(json, deployment.error);
  return json;
}

Json to_json(PeerRow const& peer) {
  return {{"address", peer.address},
          {"client", peer.client},
          {"progress", peer.progress},
          {"download-rate", peer.download_rate.bytes_per_second},
          {"upload-rate", peer.upload_rate.bytes_per_second},
          {"downloaded", peer.downloaded.value},
          {"uploaded", peer.uploaded.value}};
}

Json to_json(state::HookStatus const& hook) {
  auto events = Json::array();
  for (auto const event : hook.events) events.push_back(name_of(event));
  Json json{{"run", hook.name},
            {"events", hook.events.empty() ? Json{} : std::move(events)},
            {"waiting", hook.waiting},
            {"oldest", time_or_null(hook.oldest)},
            {"running", hook.running}};
  add_error(json, hook.error);
  return json;
}

Json status_json(state::Board const& board) {
  return {{"host", board.host},
          {"version", IMAGESWARM_VERSION},
          {"subscriptions", array_of(board.subscriptions)},
          {"images", array_of(board.images)}};
}

Json host_json(state::Board const& board) {
  return {{"host", board.host},
          {"version", IMAGESWARM_VERSION},
          {"paused", board.paused},
          {"download-limit", limit_or_null(board.limits.download_rate)},
          {"upload-limit", limit_or_null(board.limits.upload_rate)},
          {"far-download-limit", limit_or_null(board.limits.far_download_rate)},
          {"far-upload-limit", limit_or_null(board.limits.far_upload_rate)},
          {"first-round-done", board.first_round_done}};
}

Json explain_json(state::ImageStatus const& image) {
  auto json = image_head(image);
  json["catalogue"] = text_or_null(image.catalogue);
  json["state"] = name_of(image.state);
  add_error(json, image.error);
  auto reasons = Json::array();
  for (auto const& reason : image.reasons) {
    reasons.push_back({{"question", reason.question}, {"answer", reason.answer}, {"yes", reason.yes}});
  }
  json["reasons"] = std::move(reasons);
  return json;
}

std::string dump(Json const& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace imageswarm::control
