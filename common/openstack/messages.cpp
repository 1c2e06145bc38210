#include "common/openstack/messages.hpp"

#include <time.h>

#include <array>
#include <cctype>
#include <nlohmann/json.hpp>

#include "common/base/text.hpp"

namespace imageswarm::openstack {
namespace {

using Json = nlohmann::json;

Json parse(std::string_view body) {
  return Json::parse(body, nullptr, false);  // discarded, which is no object, if it is not JSON
}

/// The text under `key`, empty if there is none.
std::string text_of(Json const& object, char const* key) {
  auto const found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

bool truth_of(Json const& object, char const* key) {
  auto const found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

std::uint64_t number_of(Json const& object, char const* key) {
  auto const found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

/// Keystone writes fractions of seconds, Glance does not. The epoch if it is no time.
TimePoint time_of(Json const& object, char const* key) {
  auto text = text_of(object, key);
  if (auto const dot = text.find('.'); dot != std::string::npos && text.ends_with('Z'))
    text.replace(dot, std::string::npos, "Z");
  return parse_time(text).value_or(TimePoint{});
}

/// What JSON text of any bytes looks like; never throws on bad UTF-8.
std::string dump(Json const& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json by_id_or_name(std::string const& id, std::string const& name) {
  return id.empty() ? Json{{"name", name}} : Json{{"id", id}};
}

Json identity_of(Cloud const& cloud) {
  if (cloud.auth_type == Cloud::AuthType::application_credential) {
    return {{"methods", {"application_credential"}},
            {"application_credential",
             {{"id", cloud.application_credential_id}, {"secret", cloud.application_credential_secret}}}};
  }
  auto user = by_id_or_name(cloud.user_id, cloud.username);
  if (cloud.user_id.empty()) user["domain"] = by_id_or_name(cloud.user_domain_id, cloud.user_domain_name);
  user["password"] = cloud.password;
  return {{"methods", {"password"}}, {"password", {{"user", user}}}};
}

/// Fields that an image has by itself; everything else that is text is a property.
constexpr std::array own_fields{"id",          "name",      "status",       "visibility",    "owner",
                                "disk_format", "checksum",  "os_hash_algo", "os_hash_value", "created_at",
                                "updated_at",  "self",      "file",         "schema",        "container_format",
                                "stores",      "direct_url"};

bool is_own_field(std::string_view key) {
  return std::find(own_fields.begin(), own_fields.end(), key) != own_fields.end();
}

GlanceImage image_from(Json const& json, TimePoint seen) {
  GlanceImage image;
  image.id = text_of(json, "id");
  image.name = text_of(json, "name");
  image.status = text_of(json, "status");
  image.visibility = text_of(json, "visibility");
  image.hidden = truth_of(json, "os_hidden");
  image.is_protected = truth_of(json, "protected");
  image.disk_format = text_of(json, "disk_format");
  image.container_format = text_of(json, "container_format");
  if (json.contains("size") && json["size"].is_number_unsigned()) image.size = ByteCount{number_of(json, "size")};
  image.hash_algorithm = text_of(json, "os_hash_algo");
  image.hash_value = text_of(json, "os_hash_value");
  image.min_disk_gib = static_cast<std::uint32_t>(number_of(json, "min_disk"));
  image.min_ram_mib = static_cast<std::uint32_t>(number_of(json, "min_ram"));
  image.owner = text_of(json, "owner");
  image.created = time_of(json, "created_at");
  image.updated = time_of(json, "updated_at");
  image.seen = seen;
  if (auto const tags = json.find("tags"); tags != json.end() && tags->is_array()) {
    for (auto const& tag : *tags) {
      if (tag.is_string()) image.tags.push_back(tag.get<std::string>());
    }
  }
  if (auto const stores = text_of(json, "stores"); !stores.empty()) {
    for (auto const store : split(stores, ',')) image.stores.emplace_back(store);
  }
  for (auto const& [key, value] : json.items()) {
    if (value.is_string() && !is_own_field(key)) image.properties.emplace(key, value.get<std::string>());
  }
  return image;
}

struct AsJson {
  Json operator()(auto const& plain) const { return Json(plain); }
  Json operator()(Gone const&) const { return nullptr; }
};

tl::unexpected<Error> not_glance(std::string_view body) {
  return fail(Fault::glance_unavailable, "the answer is not an image of Glance: {}", printable(body, 80));
}

}  // namespace

std::string token_request(Cloud const& cloud) {
  Json auth{{"identity", identity_of(cloud)}};
  if (cloud.auth_type == Cloud::AuthType::password) {  // an application credential has its project in it
    auto project = by_id_or_name(cloud.project_id, cloud.project_name);
    if (cloud.project_id.empty()) {
      project["domain"] = by_id_or_name(cloud.project_domain_id, cloud.project_domain_name);
    }
    auth["scope"] = {{"project", project}};
  }
  return dump({{"auth", auth}});
}

Result<TokenAnswer> parse_token(std::string_view body) {
  auto const json = parse(body);
  auto const token = json.is_object() ? json.value("token", Json{}) : Json{};
  auto const issued = token.is_object() ? time_of(token, "issued_at") : TimePoint{};
  if (issued == TimePoint{}) {
    return fail(Fault::keystone_unavailable, "the answer is not a token of Keystone v3; check `auth_url`");
  }
  TokenAnswer answer;
  answer.lifetime = time_of(token, "expires_at") - issued;
  if (auto const project = token.find("project"); project != token.end() && project->is_object()) {
    answer.project_id = text_of(*project, "id");
  }
  for (auto const& service : token.value("catalog", Json::array())) {
    if (!service.is_object()) continue;
    for (auto const& endpoint : service.value("endpoints", Json::array())) {
      if (!endpoint.is_object()) continue;
      auto region = text_of(endpoint, "region_id");
      if (region.empty()) region = text_of(endpoint, "region");
      answer.endpoints.push_back(
          {text_of(service, "type"), text_of(endpoint, "interface"), region, text_of(endpoint, "url")});
    }
  }
  return answer;
}

std::string create_request(NewImage const& image) {
  Json json(image.properties);
  json["id"] = image.id;
  json["name"] = image.name;
  json["disk_format"] = image.disk_format;
  json["container_format"] = image.container_format;
  json["visibility"] = "private";
  json["os_hidden"] = true;
  json["protected"] = false;
  json["min_disk"] = image.min_disk_gib;
  json["min_ram"] = image.min_ram_mib;
  json["tags"] = image.tags;
  return dump(json);
}

std::string copy_request(std::vector<std::string> const& stores) {
  return dump({{"method", {{"name", "copy-image"}}}, {"stores", stores}, {"all_stores_must_succeed", true}});
}

std::string patch_request(Changes const& changes) {
  auto operations = Json::array();
  for (auto const& [name, value] : changes) {
    std::string path = "/";
    for (char const c : name) {  // RFC 6901 §3
      c == '~' ? path += "~0" : c == '/' ? path += "~1" : path += c;
    }
    if (std::holds_alternative<Gone>(value)) {
      operations.push_back({{"op", "remove"}, {"path", path}});
      continue;
    }
    // `add` sets what is there and what is not; `replace` of a property that is not there is refused.
    operations.push_back({{"op", "add"}, {"path", path}, {"value", std::visit(AsJson{}, value)}});
  }
  return dump(operations);
}

Result<GlanceImage> parse_image(std::string_view body, TimePoint seen) {
  auto const json = parse(body);
  if (!json.is_object() || text_of(json, "id").empty()) return not_glance(body);
  return image_from(json, seen);
}

std::string member_request(std::string_view project) {
  return dump({{"member", project}});
}

Result<std::vector<std::string>> parse_members(std::string_view body) {
  auto const json = parse(body);
  auto const members = json.is_object() ? json.find("members") : json.end();
  if (members == json.end() || !members->is_array()) return not_glance(body);
  std::vector<std::string> projects;
  for (auto const& member : *members) {
    if (member.is_object()) projects.push_back(text_of(member, "member_id"));
  }
  return projects;
}

Result<ImagePage> parse_page(std::string_view body, TimePoint seen) {
  auto const json = parse(body);
  auto const images = json.is_object() ? json.find("images") : json.end();
  if (images == json.end() || !images->is_array()) return not_glance(body);
  ImagePage page;
  for (auto const& image : *images) {
    if (!image.is_object() || text_of(image, "id").empty()) return not_glance(body);
    page.images.push_back(image_from(image, seen));
  }
  page.next = text_of(json, "next");
  return page;
}

std::string error_text(std::string_view body) {
  auto const json = parse(body);
  std::string message;
  if (json.is_object()) {
    message = text_of(json, "message");
    if (auto const error = json.find("error"); error != json.end() && error->is_object()) {  // Keystone's form
      message = text_of(*error, "message");
    }
  } else {
    message = body;
  }
  std::string plain;
  bool in_tag = false;
  for (char const c : message) {
    in_tag = c == '<' || (in_tag && c != '>');
    auto const blank = in_tag || c == '>' || std::isspace(static_cast<unsigned char>(c)) != 0;
    if (!blank) {
      plain += c;
    } else if (!plain.empty() && plain.back() != ' ') {
      plain += ' ';
    }
  }
  return printable(trimmed(plain));
}

Result<std::vector<Instance>> parse_instances(std::string_view body) {
  auto const json = parse(body);
  auto const servers = json.is_object() ? json.find("servers") : json.end();
  if (servers == json.end() || !servers->is_array()) {
    return fail(Fault::http_protocol, "the answer is not a list of Nova's servers: {}", printable(body, 80));
  }
  std::vector<Instance> instances;
  for (auto const& server : *servers) {
    if (server.is_object()) instances.push_back({text_of(server, "id"), text_of(server, "name")});
  }
  return instances;
}

std::optional<TimePoint> parse_http_date(std::string_view text) {
  struct tm parts {};
  std::string const copy{text};
  auto const* rest = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (rest == nullptr || *rest != '\0') return std::nullopt;
  return TimePoint{std::chrono::seconds{::timegm(&parts)}};
}

}  // namespace imageswarm::openstack
