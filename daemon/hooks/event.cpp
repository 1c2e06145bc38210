#include "daemon/hooks/event.hpp"

#include <nlohmann/json.hpp>

#include "common/http/client.hpp"
#include "daemon/control/board_json.hpp"

namespace imageswarm::hooks {
namespace {

using Json = nlohmann::ordered_json;

Json text_or_null(std::string const& text) {
  return text.empty() ? Json{} : Json(text);
}

Json image_json(document::Image const& image) {
  return {{"image-id", image.image_id.text()},
          {"uuid", image.uuid.text()},
          {"name", image.name},
          {"image-version", image.version.text},
          {"disk-format", image.disk_format},
          {"content-size", image.content_size.value},
          {"content-sha256", image.content_sha256.hex()},
          {"content-sha512", image.content_sha512.hex()}};
}

}  // namespace

std::string told(Event const& event, Uuid const& id, std::string const& host, TimePoint now) {
  auto const& origin = event.want.provenance;
  Json json{{"event", name_of(event.announcement.event)},
            {"id", id.text()},
            {"time", format_time(now)},
            {"host", host},
            {"image", image_json(event.want.image)},
            {"endorser", text_or_null(origin.endorser)},
            {"catalogue", text_or_null(origin.catalogue)},
            {"catalogue-url", text_or_null(http::shown(origin.catalogue_url))},
            {"serial", origin.serial},
            {"catalogue-sha256", origin.catalogue_digest.hex()},
            {"approval", text_or_null(origin.approval)},
            {"state", name_of(event.state)},
            {"reason", text_or_null(event.reason)},
            {"sinks", Json::array()},
            {"fault", event.error ? Json(word(event.error->fault)) : Json{}},
            {"error", event.error ? Json(event.error->what) : Json{}}};
  for (auto const& sink : event.sinks) json["sinks"].push_back(control::to_json(sink));
  return control::dump(json) + "\n";
}

}  // namespace imageswarm::hooks
