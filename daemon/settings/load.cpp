#include "daemon/settings/load.hpp"
#include "daemon/flow/device_path.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "common/base/text.hpp"
#include "common/config/section.hpp"
#include "common/document/glance_property.hpp"
#include "common/document/model.hpp"
#include "daemon/settings/forms.hpp"
#include "daemon/settings/host.hpp"

namespace imageswarm::settings {
namespace {

using config::Section;
using flow::Settings;
using trust::Requirement;

void read_host(Section& section, flow::HostSettings& host) {
  section.text("name", host.name);
  section.text("cluster", host.cluster);
  section.text("subcluster", host.subcluster);
  section.text("architecture", host.architecture);
  section.text("hypervisor", host.hypervisor);
}

void read_trust(Section& section, flow::TrustSettings& trust) {
  static std::initializer_list<std::pair<std::string_view, Requirement>> const words{
      {"require", Requirement::require}, {"if-present", Requirement::if_present}, {"off", Requirement::off}};
  section.path("anchors", trust.anchors);
  section.word("crl", trust.crl, words);
  section.word("namespaces", trust.namespaces, words);
  section.parsed("mass-withdrawal", trust.mass_withdrawal_percent, percent);
}

/// What catalogues and lists have in common.
void read_source(Section& section, flow::SubscriptionSettings& source) {
  section.parsed("url", source.url, source_url);
  section.require("url");
  section.parsed("document", source.document, [](std::string_view text) -> Result<std::string> {
    if (document::is_document_name(text)) return std::string{text};
    return fail(Fault::config_value, "'{}' is not a document's name ([a-z0-9][a-z0-9.-]*)", text);
  });
  section.number("epoch", source.epoch, 1, document::max_serial);
  section.duration("refresh", source.refresh);
  if (source.refresh < std::chrono::seconds{1}) section.refuse("refresh", "it must be at least 1s");
}

void read_catalogue(Section& section, std::vector<flow::SubscriptionSettings>& subscriptions) {
  auto& source = subscriptions.emplace_back();
  source.kind = document::Kind::catalogue;
  read_source(section, source);
  section.list("endorsers", source.signers, signer);
  if (source.signers.empty()) section.refuse("endorsers", "name at least one who may sign the catalogue");
}

void read_list(Section& section, document::Kind kind, std::vector<flow::SubscriptionSettings>& subscriptions) {
  auto& source = subscriptions.emplace_back();
  source.kind = kind;
  read_source(section, source);
  section.value("signed-by", [&](yaml::Value const& value) -> Result<> {
    return signer(value).map([&](trust::SignerPattern pattern) { source.signers.push_back(std::move(pattern)); });
  });
  section.require("signed-by");
}

void read_select(Section& section, std::vector<document::Rule>& select) {
  section.whole({"endorser", "issuer", "uuid", "image-id", "name", "vo-tag", "os-distro", "architecture", "all"},
                [&](yaml::Value const& map) -> Result<> {
                  auto rule = document::rule_from(map);
                  if (!rule) return fail(std::move(rule.error()));
                  for (auto const& name : {rule->endorser, rule->issuer}) {
                    auto const parsed = trust::DistinguishedName::parse(name.value_or("CN=x"));
                    if (!parsed) return fail(Fault::config_value, "line {}: {}", map.line, parsed.error().what);
                  }
                  select.push_back(std::move(*rule));
                  return {};
                });
}

Result<std::string> tracker(std::string_view text) {
  bool const known = text.starts_with("http://") || text.starts_with("https://") || text.starts_with("udp://");
  if (known && text.find_first_of(" \"<>") == std::string_view::npos) return std::string{text};
  return fail(Fault::config_value, "'{}' is not an http, https or udp URL", text);
}

void read_swarm(Section& section, flow::SwarmSettings& swarm) {
  section.parsed("listen", swarm.listen, listen_address);
  section.one_or_more_sections("ssl", [&](Section& pair) {
    auto& ssl = swarm.ssl.emplace_back();
    pair.required_path("certificate", ssl.certificate);
    pair.required_path("key", ssl.key);
  });
  section.number("ssl-port", swarm.ssl_port, 1, 65535);
  section.rate("download-rate", swarm.download_rate);
  section.rate("upload-rate", swarm.upload_rate);
  section.rate("far-download-rate", swarm.far_download_rate);
  section.rate("far-upload-rate", swarm.far_upload_rate);
  section.number("upload-peers", swarm.upload_peers, 1, 1000);
  section.number("seed-peers", swarm.seed_peers, 1, 1000);
  section.boolean("dht", swarm.dht);
  section.boolean("peer-exchange", swarm.peer_exchange);
  section.boolean("local-discovery", swarm.local_discovery);
  section.list("trackers", swarm.trackers, item(tracker));
  section.list("networks", swarm.networks, item(network));
  section.list("site", swarm.site, item(network));
  section.parsed("far-copies", swarm.far_copies, copies);
  bool const far_limits =
      swarm.far_copies || !swarm.far_download_rate.unlimited() || !swarm.far_upload_rate.unlimited();
  if (far_limits && swarm.site.empty())
    section.refuse("site", "without it nobody is far, and there are limits for those");
  section.list("dht-nodes", swarm.dht_nodes, item(host_and_port));
  section.boolean("documents", swarm.documents);
  section.list("neighbours", swarm.neighbours, item(listen_address));
}

void read_store(Section& section, flow::StoreSettings& store) {
  section.path("directory", store.directory);
  section.list("seed-from", store.seed_from, [](yaml::Value const& value) -> Result<std::filesystem::path> {
    if (value.is_text() && value.text().starts_with('/')) return std::filesystem::path{value.text()};
    return fail(Fault::config_value, "an absolute path is expected");
  });
  section.size("size", store.size);
}

/// Under systemd the unit hands over root's clouds.yaml as a credential that only the daemon can read.
void use_credential(flow::SinkSettings& sink) {
  char const* const directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr || sink.clouds_file != flow::SinkSettings{}.clouds_file) return;
  auto const credential = std::filesystem::path{directory} / "clouds.yaml";
  std::error_code ignored;
  if (std::filesystem::exists(credential, ignored)) sink.clouds_file = credential;
}

/// Beside those that the entry of an image may set, under the same rules.
Result<> read_properties(yaml::Value const& value, std::map<std::string, std::string>& properties) {
  if (!value.is_map()) return fail(Fault::config_value, "a map of names and values is expected");
  for (auto const& [name, text, line] : value.map()) {
    if (auto const allowed = document::check_glance_property(name); !allowed || !text.is_text()) {
      return fail(Fault::config_value, "line {}: '{}': {}", line, printable(name),
                  allowed ? "a single value is expected" : allowed.error().what);
    }
    properties[name] = text.text();
  }
  return {};
}

void read_glance_sink(Section& section, flow::SinkSettings& sink) {
  section.required_text("cloud", sink.cloud);
  section.path("clouds-file", sink.clouds_file);
  use_credential(sink);
  section.word("visibility", sink.visibility,
               {{"private", "private"}, {"shared", "shared"}, {"community", "community"}, {"public", "public"}});
  section.list("members", sink.members, item(project_id));
  if (!sink.members.empty() && sink.visibility != "shared") {
    section.refuse("members", "an image that has members has `visibility: shared`");
  }
  section.list("tags", sink.tags, item(tag));
  section.value("properties", [&](yaml::Value const& value) { return read_properties(value, sink.properties); });
  section.boolean("protected", sink.protect);
  section.parsed("remove-superseded-after", sink.remove_superseded_after,
                 [](std::string_view text) -> Result<std::optional<std::chrono::seconds>> {
                   if (text == "never") return std::nullopt;
                   return parse_duration(text);
                 });
  section.section("signature", [&](Section& signature) {
    auto& into = sink.signature.emplace();
    signature.required_path("key", into.key);
    signature.required_text("certificate-uuid", into.certificate_uuid);
    if (!Uuid::parse(into.certificate_uuid)) signature.refuse("certificate-uuid", "it is not a UUID");
  });
  section.list("stores", sink.stores, item(tag));
  sink.name = sink.cloud;
}

void read_nova_cache_sink(Section& section, flow::SinkSettings& sink) {
  section.path("directory", sink.directory);
  section.text("group", sink.group);
  section.duration("manager-interval", sink.manager_interval);
  sink.name = sink.directory.native();
}

void read_volume_sink(Section& section, flow::SinkSettings& sink) {
  std::string group;
  section.text("group", group);
  if (!group.empty()) section.refuse("group", "volumes are not made here; make them, and say `device`");
  section.required_text("device", sink.device);
  if (auto const checked = flow::check_device_template(sink.device); !checked) {
    section.refuse("device", checked.error().what);
  }
  sink.name = sink.device;
  sink.keep = 1;  // versions of a family have one device, as a rule
}

void read_sink(Section& section, std::vector<flow::SinkSettings>& sinks) {
  auto& sink = sinks.emplace_back();
  section.required_text("type", sink.type);
  if (sink.type == "glance") {
    read_glance_sink(section, sink);
  } else if (sink.type == "directory") {
    section.required_path("path", sink.path);
    sink.name = sink.path.native();
  } else if (sink.type == "nova-cache") {
    read_nova_cache_sink(section, sink);
  } else if (sink.type == "volume") {
    read_volume_sink(section, sink);
  } else {
    section.refuse("type", "it is neither glance nor nova-cache nor directory nor volume");
  }
  section.number("keep", sink.keep, 1, 1000);
  section.text("name", sink.name);
  bool const twice = std::ranges::count(sinks, sink.name, &flow::SinkSettings::name) > 1;
  if (twice) section.refuse("type", "there is another sink named " + sink.name);
}

void read_hook(Section& section, std::vector<flow::HookSettings>& hooks) {
  auto& hook = hooks.emplace_back();
  section.list("events", hook.events, item(event));
  section.list("run", hook.run, item(argument));
  if (hook.run.empty() || !hook.run.front().starts_with('/')) {
    section.refuse("run", "a list is expected: the program, by its absolute path, and its arguments");
  }
  section.duration("timeout", hook.timeout);
  if (hook.timeout < std::chrono::seconds{1}) section.refuse("timeout", "it must be at least 1s");
  bool const twice = std::ranges::count(hooks, hook.name(), &flow::HookSettings::name) > 1;
  if (twice) section.refuse("run", "there is another hook that runs this");
  if (hooks.size() > flow::max_hooks) section.refuse("run", fmt::format("there may be {} hooks", flow::max_hooks));
}

void read_control(Section& section, flow::ControlSettings& control) {
  section.path("socket", control.socket);
  section.parsed("metrics", control.metrics, [](std::string_view text) -> Result<std::string> {
    if (text == "off") return std::string{};
    return listen_address(text);
  });
}

std::string_view section_of(document::Kind kind) {
  switch (kind) {
    case document::Kind::catalogue:
      return "catalogues";
    case document::Kind::endorser_list:
      return "endorser-lists";
    case document::Kind::approval_list:
      return "approvals";
  }
  return "";
}

/// State and status know a configured subscription by its URL.
void refuse_repeated_sources(Section& top, Settings const& settings) {
  std::set<std::string> seen;
  for (auto const& source : settings.subscriptions) {
    if (!seen.insert(source.url).second) {
      top.refuse(section_of(source.kind), fmt::format("{} is given twice", source.url));
    }
  }
}

void read_settings(Section& top, Settings& settings) {
  top.section("host", [&](Section& section) { read_host(section, settings.host); });
  top.section("trust", [&](Section& section) { read_trust(section, settings.trust); });
  top.sections("catalogues", [&](Section& section) { read_catalogue(section, settings.subscriptions); });
  top.sections("endorser-lists",
               [&](Section& section) { read_list(section, document::Kind::endorser_list, settings.subscriptions); });
  top.section("approvals", [&](Section& section) {
    section.word("policy", settings.approvals,
                 {{"all", flow::ApprovalPolicy::all}, {"listed", flow::ApprovalPolicy::listed}});
    section.sections("lists",
                     [&](Section& list) { read_list(list, document::Kind::approval_list, settings.subscriptions); });
  });
  top.sections("select", [&](Section& section) { read_select(section, settings.select); });
  top.section("swarm", [&](Section& section) { read_swarm(section, settings.swarm); });
  top.section("store", [&](Section& section) { read_store(section, settings.store); });
  top.sections("sinks", [&](Section& section) { read_sink(section, settings.sinks); });
  top.sections("hooks", [&](Section& section) { read_hook(section, settings.hooks); });
  top.section("control", [&](Section& section) { read_control(section, settings.control); });
  top.path("grids", settings.grids);
  refuse_repeated_sources(top, settings);
}

}  // namespace

Result<Settings> parse(std::string_view text, std::filesystem::path const& file) {
  Settings settings;
  auto const read = config::read(text, file, [&](Section& top) { read_settings(top, settings); });
  if (!read) return fail(read.error());
  if (settings.host.name.empty()) settings.host.name = host_name();
  if (settings.host.architecture.empty()) settings.host.architecture = architecture();
  return settings;
}

Result<Settings> load(std::filesystem::path const& file) {
  return config::load(file).and_then([&](std::string const& text) { return parse(text, file); });
}

}  // namespace imageswarm::settings
