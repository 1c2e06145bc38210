#include "common/openstack/cloud.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <vector>

#include "common/base/file.hpp"
#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "common/yaml/value.hpp"

namespace imageswarm::openstack {
namespace {

constexpr ByteCount max_file_size = 1_MiB;

/// The top map of a clouds.yaml or secure.yaml. Faults: config-missing, config-syntax, permission.
Result<yaml::Value> read_clouds(std::filesystem::path const& path) {
  auto const text = read_file(path, max_file_size);
  if (!text) {
    if (text.error().fault != Fault::not_found) return fail(text.error());
    return fail(Fault::config_missing, "{}: no such file; set `clouds-file` or put it there", printable(path.native()));
  }
  auto top = yaml::parse(*text);
  if (!top) {
    return fail(Fault::config_syntax, "{}: {}; anchors and other rare YAML are not read here", printable(path.native()),
                top.error().what);
  }
  return top;
}

/// `over` laid over `base`: maps are merged, anything else is replaced.
void merge(yaml::Value& base, yaml::Value const& over) {
  if (!base.is_map() || !over.is_map()) {
    base = over;
    return;
  }
  auto& members = std::get<yaml::Value::Map>(base.node);
  for (auto const& member : over.map()) {
    auto const there = std::ranges::find(members, member.key, &yaml::Member::key);
    if (there == members.end()) {
      members.push_back(member);
    } else {
      merge(there->value, member.value);
    }
  }
}

std::filesystem::path secure_file_beside(std::filesystem::path const& clouds_file) {
  std::error_code ignored;
  for (auto const* name : {"secure.yaml", "secure.yml"}) {
    auto path = clouds_file.parent_path() / name;
    if (std::filesystem::exists(path, ignored)) return path;
  }
  return {};
}

void warn_if_open_to_all(std::filesystem::path const& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0 && (found.st_mode & S_IROTH) != 0) {
    log_warning("{}: everybody can read the secrets in it; chmod o-rwx it", printable(path.native()));
  }
}

std::string known_clouds(yaml::Value const& clouds) {
  std::vector<std::string> names;
  for (auto const& member : clouds.map()) names.push_back(printable(member.key));
  return join(names, ", ");
}

/// Reads the keys of one entry; the first thing that is wrong stays in `error`.
class Entry {
public:
  Entry(yaml::Value const& map, std::string where) : map_{map}, where_{std::move(where)} {}

  std::string text(std::string_view key, std::string_view key_of_old = {}) {
    auto const* value = find(key);
    if (value == nullptr && !key_of_old.empty()) value = find(key_of_old);
    if (value == nullptr) return {};
    if (value->is_text()) return value->text();
    return wrong(key, "must be a text"), std::string{};
  }

  /// Of a key of `auth`; some old files have it one level up.
  std::string auth(std::string_view key) {
    auto const* auth = find("auth");
    if (auth != nullptr && !auth->is_map()) return wrong("auth", "must be a map"), std::string{};
    auto const* value = auth == nullptr ? nullptr : auth->find(key);
    if (value == nullptr) value = find(key);
    if (value == nullptr) return {};
    if (value->is_text()) return value->text();
    return wrong(key, "must be a text"), std::string{};
  }

  std::optional<bool> boolean(std::string_view key) {
    auto const word = lower_case(text(key));
    constexpr std::array yes{"true", "yes", "on", "1"}, no{"false", "no", "off", "0"};
    if (word.empty()) return {};
    if (std::ranges::find(yes, word) != yes.end()) return true;
    if (std::ranges::find(no, word) != no.end()) return false;
    return wrong(key, "must be true or false"), std::nullopt;
  }

  /// `region_name`, else the first of `regions`, whose items are texts or maps with a name.
  std::string region() {
    if (auto name = text("region_name"); !name.empty()) return name;
    auto const* regions = find("regions");
    if (regions == nullptr || !regions->is_list() || regions->list().empty()) return {};
    auto const& first = regions->list().front();
    auto const* name = first.is_map() ? first.find("name") : &first;
    if (name != nullptr && name->is_text()) return name->text();
    return wrong("regions", "must be a list of names"), std::string{};
  }

  void wrong(std::string_view key, std::string_view what) {
    if (!error_) error_ = Error{Fault::config_value, fmt::format("{}: `{}` {}", where_, key, what)};
  }
  std::optional<Error> const& error() const { return error_; }

private:
  yaml::Value const* find(std::string_view key) const { return map_.find(key); }

  yaml::Value const& map_;
  std::string where_;
  std::optional<Error> error_;
};

std::string with_v3(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url.ends_with("/v3") || url.empty() ? url : url + "/v3";
}

void read_auth_type(Entry& entry, Cloud& cloud) {
  auto const type = entry.text("auth_type");
  if (type == "v3applicationcredential" || (type.empty() && !cloud.application_credential_id.empty())) {
    cloud.auth_type = Cloud::AuthType::application_credential;
  } else if (!type.empty() && type != "password" && type != "v3password") {
    entry.wrong("auth_type", "must be password or v3applicationcredential here");
  }
}

void read_auth(Entry& entry, Cloud& cloud) {
  cloud.auth_url = with_v3(entry.auth("auth_url"));
  cloud.username = entry.auth("username");
  cloud.user_id = entry.auth("user_id");
  cloud.password = entry.auth("password");
  cloud.user_domain_name = entry.auth("user_domain_name");
  cloud.user_domain_id = entry.auth("user_domain_id");
  cloud.project_name = entry.auth("project_name");
  cloud.project_id = entry.auth("project_id");
  cloud.project_domain_name = entry.auth("project_domain_name");
  cloud.project_domain_id = entry.auth("project_domain_id");
  cloud.application_credential_id = entry.auth("application_credential_id");
  cloud.application_credential_secret = entry.auth("application_credential_secret");
  // What the other clients assume.
  if (cloud.user_domain_name.empty() && cloud.user_domain_id.empty()) cloud.user_domain_id = "default";
  if (cloud.project_domain_name.empty() && cloud.project_domain_id.empty()) cloud.project_domain_id = "default";
}

void read_tls(Entry& entry, Cloud& cloud) {
  cloud.tls.verify = entry.boolean("verify").value_or(!entry.boolean("insecure").value_or(false));
  cloud.tls.ca = entry.text("cacert");
  cloud.tls.certificate = entry.text("cert");
  cloud.tls.key = entry.text("key");
}

void read_service(Entry& entry, Cloud& cloud) {
  cloud.region_name = entry.region();
  if (auto word = entry.text("interface", "endpoint_type"); !word.empty()) {
    if (word.ends_with("URL")) word.resize(word.size() - 3);
    if (word != "public" && word != "internal" && word != "admin") {
      entry.wrong("interface", "must be public, internal or admin");
    }
    cloud.interface = word;
  }
  if (auto const version = entry.text("identity_api_version"); !version.empty() && !version.starts_with('3')) {
    entry.wrong("identity_api_version", "must be 3");
  }
  cloud.image_endpoint_override = entry.text("image_endpoint_override");
  if (auto const timeout = entry.text("api_timeout"); !timeout.empty()) {
    auto const seconds = parse_number(timeout, 1, 3600);
    if (!seconds) entry.wrong("api_timeout", "must be whole seconds, 1 to 3600");
    cloud.api_timeout = std::chrono::seconds{seconds.value_or(60)};
  }
}

void check_complete(Entry& entry, Cloud const& cloud) {
  if (cloud.auth_url.empty()) {
    entry.wrong("auth_url", "is missing; vendor profiles are not read here, so write it under `auth`");
  } else if (!cloud.auth_url.starts_with("http://") && !cloud.auth_url.starts_with("https://")) {
    entry.wrong("auth_url", "must be an http or https URL");
  }
  if (cloud.auth_type == Cloud::AuthType::application_credential) {
    if (cloud.application_credential_id.empty()) entry.wrong("application_credential_id", "is missing");
    if (cloud.application_credential_secret.empty()) entry.wrong("application_credential_secret", "is missing");
    return;
  }
  if (cloud.username.empty() && cloud.user_id.empty()) entry.wrong("username", "is missing");
  if (cloud.password.empty()) entry.wrong("password", "is missing");
  if (cloud.project_name.empty() && cloud.project_id.empty()) {
    entry.wrong("project_name", "is missing; a token without a project cannot own images");
  }
}

}  // namespace

std::filesystem::path usual_clouds_file() {
  namespace fs = std::filesystem;
  if (auto const* named = std::getenv("OS_CLIENT_CONFIG_FILE")) return named;
  auto const* home = std::getenv("HOME");
  auto const of_user = fs::path{home != nullptr ? home : "/"} / ".config/openstack/clouds.yaml";
  fs::path const last = "/etc/imageswarm/clouds.yaml";
  std::error_code ignored;
  for (auto const& path : {fs::path{"clouds.yaml"}, of_user, fs::path{"/etc/openstack/clouds.yaml"}}) {
    if (fs::exists(path, ignored)) return path;
  }
  return last;
}

Result<Cloud> load_cloud(std::filesystem::path const& clouds_file, std::string_view name) {
  auto top = read_clouds(clouds_file);
  if (!top) return fail(top.error());
  warn_if_open_to_all(clouds_file);
  if (auto const secure_file = secure_file_beside(clouds_file); !secure_file.empty()) {
    auto const secure = read_clouds(secure_file);
    if (!secure) return fail(secure.error());
    warn_if_open_to_all(secure_file);
    merge(*top, *secure);
  }
  auto const file = printable(clouds_file.native());
  auto const* clouds = top->find("clouds");
  if (clouds == nullptr || !clouds->is_map()) return fail(Fault::config_value, "{}: has no map `clouds`", file);
  auto const* map = clouds->find(name);
  if (map == nullptr || !map->is_map()) {
    return fail(Fault::config_value, "{}: has no cloud '{}'; it has {}", file, printable(name), known_clouds(*clouds));
  }

  Entry entry{*map, fmt::format("{}: cloud {}", file, printable(name))};
  Cloud cloud;
  cloud.name = name;
  read_auth(entry, cloud);
  read_auth_type(entry, cloud);
  read_service(entry, cloud);
  read_tls(entry, cloud);
  check_complete(entry, cloud);
  if (entry.error()) return fail(*entry.error());
  return cloud;
}

}  // namespace imageswarm::openstack
