#include "daemon/settings/load.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>

#include "tests/support/temporary_directory.hpp"

namespace imageswarm::settings {
namespace {

Result<flow::Settings> parsed(std::string_view text) {
  return parse(text, "/etc/x.yaml");
}

std::string example() {
  std::ifstream file{IMAGESWARM_SOURCE_DIR "/config/imageswarmd.yaml"};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The example with what it shows as comments taken in, and the empty lists before those taken out.
std::string example_in_full() {
  auto text = std::regex_replace(example(), std::regex{"\\[\\]\n(\\s*# )"}, "\n$1");
  std::istringstream lines{text};
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    // Commented keys are indented by at least two; prose stands in column 0.
    if (line.starts_with("  ")) line = std::regex_replace(line, std::regex{"^( +)# "}, "$1");
    result += line + "\n";
  }
  return result;
}

TEST_CASE("the example is the built-in defaults") {
  auto const read = parsed(example());
  INFO((read ? "" : read.error().what));
  REQUIRE(read);
  auto const empty = parsed("");
  REQUIRE(empty);
  CHECK(read->host.name == empty->host.name);
  CHECK(read->host.architecture == empty->host.architecture);
  flow::Settings const built_in;
  for (auto const& each : {*read, *empty}) {
    CHECK(each.host.cluster == built_in.host.cluster);
    CHECK(each.host.subcluster == built_in.host.subcluster);
    CHECK(each.host.hypervisor == built_in.host.hypervisor);
    CHECK(each.trust.anchors == built_in.trust.anchors);
    CHECK(each.trust.crl == built_in.trust.crl);
    CHECK(each.trust.namespaces == built_in.trust.namespaces);
    CHECK(each.trust.mass_withdrawal_percent == built_in.trust.mass_withdrawal_percent);
    CHECK(each.subscriptions.empty());
    CHECK(each.approvals == built_in.approvals);
    CHECK(each.select.empty());
    CHECK(each.swarm.listen == built_in.swarm.listen);
    CHECK(each.swarm.ssl.empty());
    CHECK(each.swarm.ssl_port == built_in.swarm.ssl_port);
    CHECK(static_cast<flow::HostRates const&>(each.swarm) == built_in.swarm);
    CHECK(each.swarm.upload_peers == built_in.swarm.upload_peers);
    CHECK(each.swarm.seed_peers == built_in.swarm.seed_peers);
    CHECK(each.swarm.dht == built_in.swarm.dht);
    CHECK(each.swarm.peer_exchange == built_in.swarm.peer_exchange);
    CHECK(each.swarm.local_discovery == built_in.swarm.local_discovery);
    CHECK(each.swarm.trackers.empty());
    CHECK(each.swarm.networks.empty());
    CHECK(each.swarm.site.empty());
    CHECK(each.swarm.far_copies == built_in.swarm.far_copies);
    CHECK(each.swarm.dht_nodes.empty());
    CHECK(each.swarm.documents);
    CHECK(each.swarm.neighbours.empty());
    CHECK(each.store.directory == built_in.store.directory);
    CHECK(each.store.seed_from.empty());
    CHECK(each.store.size == built_in.store.size);
    CHECK(each.sinks.empty());
    CHECK(each.hooks.empty());
    CHECK(each.control.socket == built_in.control.socket);
    CHECK(each.control.metrics == built_in.control.metrics);
  }
}

TEST_CASE("the lines that the example shows as comments can be taken in, and show defaults where there are any") {
  auto const text = example_in_full();
  auto const read = parsed(text);
  INFO(text << (read ? "" : read.error().what));
  REQUIRE(read);
  CHECK(read->host.name == "hv001.example.org");
  CHECK(read->host.cluster == "lxcloud");
  CHECK(read->select.at(0).vo_tag == "atlas");
  CHECK(read->store.size == ByteCount{200'000'000'000});
  REQUIRE(read->subscriptions.size() == 3);
  for (auto const& each : read->subscriptions) {
    CHECK(each.signers.size() == 1);
    CHECK(each.document);
    CHECK(each.epoch == flow::SubscriptionSettings{}.epoch);
    CHECK(each.refresh == flow::SubscriptionSettings{}.refresh);
  }
  CHECK(read->subscriptions[0].kind == document::Kind::catalogue);
  CHECK(read->subscriptions[1].kind == document::Kind::endorser_list);
  CHECK(read->subscriptions[2].kind == document::Kind::approval_list);
  REQUIRE(read->sinks.size() == 4);
  auto const& glance = read->sinks[0];
  CHECK(glance.name == "mysite");
  CHECK(glance.clouds_file == flow::SinkSettings{}.clouds_file);
  CHECK(glance.visibility == flow::SinkSettings{}.visibility);
  CHECK(glance.keep == flow::SinkSettings{}.keep);
  auto const& cache = read->sinks[1];
  CHECK(cache.name == "/var/lib/nova/instances/_base");
  CHECK(cache.directory == flow::SinkSettings{}.directory);
  CHECK(cache.group == flow::SinkSettings{}.group);
  CHECK(cache.manager_interval == flow::SinkSettings{}.manager_interval);
  CHECK(read->sinks[2].name == "/dev/vg0/{volume-name}");
  CHECK(read->sinks[2].keep == 1);
  CHECK(read->sinks[3].name == "/srv/images");
  REQUIRE(read->hooks.size() == 1);
  CHECK(read->hooks[0].name() == "/usr/local/sbin/tell-portal --site example");
  CHECK(read->hooks[0].events.size() == 5);
  CHECK(read->hooks[0].timeout == flow::HookSettings{}.timeout);
}

TEST_CASE("a Glance sink says what its images shall say") {
  auto const read = parsed(
      "sinks:\n  - {type: glance, cloud: a, name: x, keep: 5, visibility: shared, members: [8d2f], tags: [site], "
      "properties: {os_type: linux}, protected: true, remove-superseded-after: 30d, signature: {key: /k, "
      "certificate-uuid: 5c1b2a7e-3d0a-4c58-9f0e-2b7a6d1c4e90}}\n");
  REQUIRE(read);
  auto const& sink = read->sinks.front();
  CHECK(sink.name == "x");
  CHECK(sink.keep == 5);
  CHECK(sink.members == std::vector<std::string>{"8d2f"});
  CHECK(sink.tags == std::vector<std::string>{"site"});
  CHECK(sink.properties == std::map<std::string, std::string>{{"os_type", "linux"}});
  CHECK(sink.protect);
  CHECK(sink.remove_superseded_after == std::chrono::days{30});
  CHECK(sink.signature->key == "/k");
}

TEST_CASE("every key that the daemon knows stands in the example") {
  // The message for an unknown key lists those that are known in its section.
  auto const text = example();
  std::regex const word{"[a-z][a-z-]*"};
  int seen = 0;
  for (std::string_view section :
       {"{}", "host: {}", "trust: {}", "catalogues: [{}]", "endorser-lists: [{}]", "approvals: {}",
        "approvals: {lists: [{}]}", "select: [{}]", "swarm: {}", "store: {}", "sinks: [{type: glance, cloud: x, }]",
        "sinks: [{type: nova-cache, }]", "sinks: [{type: directory, path: /x, }]", "control: {}"}) {
    auto broken = std::string{section};
    broken.insert(broken.find('}'), "zzzzzzzzzzzzzz: x");
    // A section that demands keys says so first; give it those.
    if (section.starts_with("catalogues")) broken = "catalogues: [{url: /x, endorsers: [CN=x], zzzzzzzzzzzzzz: x}]";
    if (section.starts_with("endorser-lists"))
      broken = "endorser-lists: [{url: /x, signed-by: CN=x, zzzzzzzzzzzzzz: x}]";
    if (section.ends_with("lists: [{}]}"))
      broken = "approvals: {lists: [{url: /x, signed-by: CN=x, zzzzzzzzzzzzzz: x}]}";
    auto const read = parsed(broken);
    REQUIRE_FALSE(read);
    INFO(read.error().what);
    REQUIRE(read.error().fault == Fault::config_unknown_key);
    auto const known = read.error().what.substr(read.error().what.rfind(": ") + 2);
    for (std::sregex_iterator key{known.begin(), known.end(), word}, end; key != end; ++key) {
      CHECK_THAT(text, Catch::Contains(key->str()));
      ++seen;
    }
  }
  CHECK(seen > 50);
}

TEST_CASE("signers are names in either form, and may pin their CA") {
  auto const read = parsed(
      "catalogues:\n  - url: /x\n    endorsers:\n      - CN=Ada,O=Example\n      - /O=Example/CN=Ada\n"
      "      - {subject: \"CN=Ada,O=Example\", issuer: \"CN=CA,O=Example\"}\n");
  REQUIRE(read);
  auto const& signers = read->subscriptions.at(0).signers;
  REQUIRE(signers.size() == 3);
  CHECK(signers[0].subject == signers[1].subject);
  CHECK(signers[2].subject == signers[0].subject);
  CHECK_FALSE(signers[0].issuer);
  CHECK(signers[2].issuer->text() == "CN=CA,O=Example");
}

TEST_CASE("host and architecture are found out where they are left out") {
  auto const read = parsed("host: {cluster: c}\n");
  REQUIRE(read);
  CHECK_FALSE(read->host.name.empty());
  CHECK_FALSE(read->host.architecture.empty());
  CHECK(parsed("host: {name: hv1, architecture: aarch64}\n")->host.name == "hv1");
}

TEST_CASE("systemd's copy of clouds.yaml is read where there is one and the file is not named otherwise") {
  test::TemporaryDirectory const credentials;
  setenv("CREDENTIALS_DIRECTORY", credentials.path().c_str(), 1);
  auto const file = [](std::string_view more) {
    return parsed("sinks: [{type: glance, cloud: mysite" + std::string{more} + "}]")->sinks.front().clouds_file;
  };
  CHECK(file("") == "/etc/imageswarm/clouds.yaml");
  std::ofstream{credentials.path() / "clouds.yaml"} << "clouds: {}\n";
  CHECK(file("") == credentials.path() / "clouds.yaml");
  CHECK(file(", clouds-file: /srv/clouds.yaml") == "/srv/clouds.yaml");
  unsetenv("CREDENTIALS_DIRECTORY");
}

TEST_CASE("metrics can be turned off") {
  CHECK(parsed("control: {metrics: off}\n")->control.metrics.empty());
}

TEST_CASE("a wrong value is refused with its line, and what comes later says so") {
  struct Wrong {
    std::string_view text, says;
  };
  auto const wrong = GENERATE(values<Wrong>({
      {"endorser-lists:\n  - {url: /x}\n", "/etc/x.yaml:2: endorser-lists.signed-by: it is missing"},
      {"endorser-lists:\n  - {url: /x, signed-by: Ada}\n", "endorser-lists.signed-by: "},
      {"endorser-lists:\n  - {signed-by: CN=x}\n", "endorser-lists.url: it is missing"},
      {"sinks:\n  - {type: nova-cache, directory: x}\n", "/etc/x.yaml:2: sinks.directory: "},
      {"sinks:\n  - {type: nova-cache, manager-interval: soon}\n", "sinks.manager-interval: "},
      {"sinks:\n  - {type: volume, group: vg0}\n", "volumes are not made here"},
      {"sinks:\n  - {type: volume}\n", "sinks.device: it is missing"},
      {"sinks:\n  - {type: volume, device: 'vg0/{name}'}\n", "not an absolute path"},
      {"sinks:\n  - {type: volume, device: '/dev/{title}'}\n", "there is no {title}"},
      {"sinks:\n  - {type: volume, device: '/dev/{name'}\n", "has no '}'"},
      {"sinks:\n  - {type: tape}\n", "neither glance nor nova-cache nor directory nor volume"},
      {"sinks:\n  - {path: /x}\n", "sinks.type: it is missing"},
      {"sinks:\n  - {type: directory}\n", "sinks.path: it is missing"},
      {"sinks:\n  - {type: directory, path: x}\n", "not an absolute path"},
      {"sinks:\n  - {type: directory, path: /x}\n  - {type: directory, path: /x}\n", "another sink named /x"},
      {"sinks:\n  - {type: glance}\n", "sinks.cloud: it is missing"},
      {"hooks:\n  - {events: [available]}\n", "hooks.run: a list is expected"},
      {"hooks:\n  - {run: [tell-portal]}\n", "by its absolute path"},
      {"hooks:\n  - {run: [/bin/true, \"a\\tb\"]}\n", "control characters"},
      {"hooks:\n  - {run: [/bin/true], events: [arrived]}\n", "'arrived' is none of available, "},
      {"hooks:\n  - {run: [/bin/true], timeout: 0s}\n", "hooks.timeout: it must be at least 1s"},
      {"hooks:\n  - {run: [/bin/true]}\n  - {run: [/bin/true]}\n", "another hook that runs this"},
      {"sinks:\n  - {type: glance, cloud: a, visibility: mine}\n", "sinks.visibility: 'mine' is none of"},
      {"sinks:\n  - {type: glance, cloud: a, keep: 0}\n", "sinks.keep: "},
      {"sinks:\n  - {type: directory, path: /a, keep: 0}\n", "sinks.keep: "},
      {"sinks:\n  - {type: glance, cloud: a, members: [8d2f]}\n", "sinks.members: "},
      {"sinks:\n  - {type: glance, cloud: a, visibility: shared, members: [a/b]}\n", "sinks.members: "},
      {"sinks:\n  - {type: glance, cloud: a, tags: ['a,b']}\n", "sinks.tags: "},
      {"sinks:\n  - {type: glance, cloud: a, properties: {imageswarm_image_id: x}}\n", "sinks.properties: "},
      {"sinks:\n  - {type: glance, cloud: a, remove-superseded-after: soon}\n", "sinks.remove-superseded-after: "},
      {"sinks:\n  - {type: glance, cloud: a, signature: {key: /k, certificate-uuid: x}}\n", "certificate-uuid: "},
      {"sinks:\n  - {type: glance, cloud: a, name: x}\n  - {type: glance, cloud: b, name: x}\n", "another sink"},
      {"trust: {namespaces: maybe}\n", "trust.namespaces: "},
      {"trust: {crl: maybe}\n", "trust.crl: "},
      {"trust: {anchors: ca.pem}\n", "trust.anchors: "},
      {"trust: {mass-withdrawal: 50}\n", "trust.mass-withdrawal: "},
      {"trust: {mass-withdrawal: 101%}\n", "trust.mass-withdrawal: "},
      {"catalogues:\n  - {endorsers: [CN=x]}\n", "catalogues.url: it is missing"},
      {"catalogues:\n  - {url: /x}\n", "catalogues.endorsers: name at least one"},
      {"catalogues:\n  - {url: catalogue.yaml, endorsers: [CN=x]}\n", "catalogues.url: "},
      {"catalogues:\n  - {url: \"ftp://a/b\", endorsers: [CN=x]}\n", "catalogues.url: "},
      {"catalogues:\n  - {url: \"https:///b\", endorsers: [CN=x]}\n", "catalogues.url: "},
      {"catalogues:\n  - {url: /x, endorsers: CN=x}\n", "catalogues.endorsers: a list is expected"},
      {"catalogues:\n  - {url: /x, endorsers: [Ada]}\n", "catalogues.endorsers: "},
      {"catalogues:\n  - {url: /x, endorsers: [{issuer: CN=x}]}\n", "subject is missing"},
      {"catalogues:\n  - {url: /x, endorsers: [{subject: CN=x, isuer: CN=y}]}\n", "no key 'isuer'"},
      {"catalogues:\n  - {url: /x, endorsers: [CN=x], document: A}\n", "catalogues.document: "},
      {"catalogues:\n  - {url: /x, endorsers: [CN=x], epoch: 0}\n", "catalogues.epoch: "},
      {"catalogues:\n  - {url: /x, endorsers: [CN=x], refresh: 0s}\n", "catalogues.refresh: "},
      {"catalogues:\n  - {url: /x, endorsers: [CN=x]}\n  - {url: /x, endorsers: [CN=y]}\n", "/x is given twice"},
      {"approvals: {policy: some}\n", "approvals.policy: "},
      {"approvals:\n  lists:\n    - {url: /x}\n", "approvals.lists.signed-by: it is missing"},
      {"select:\n  - {}\n", "/etc/x.yaml:2: the rule names nothing"},
      {"select:\n  - {uuid: x}\n", "/etc/x.yaml:2: uuid: "},
      {"select:\n  - {endorser: Ada}\n", "/etc/x.yaml:2: "},
      {"swarm: {listen: 6881}\n", "swarm.listen: "},
      {"swarm: {listen: \"localhost:6881\"}\n", "swarm.listen: "},
      {"swarm: {listen: \"0.0.0.0:65536\"}\n", "swarm.listen: "},
      {"swarm: {listen: \"::1:6881\"}\n", "swarm.listen: "},
      {"swarm: {upload-rate: 0MB/s}\n", "swarm.upload-rate: "},
      {"swarm: {site: [10.0.0.0/40]}\n", "swarm.site: "},
      {"swarm: {far-copies: 2}\n", "swarm.site: "},
      {"swarm: {far-upload-rate: 1MB/s}\n", "swarm.site: "},
      {"swarm: {site: [10.0.0.0/8], far-copies: 0}\n", "swarm.far-copies: "},
      {"swarm: {networks: [10.0.0.1/8]}\n", "an address inside a network"},
      {"swarm: {networks: [10.0.0.0/33]}\n", "swarm.networks: "},
      {"swarm: {networks: [example.org]}\n", "swarm.networks: "},
      {"swarm: {trackers: [\"ftp://a\"]}\n", "swarm.trackers: "},
      {"swarm: {dht-nodes: [a]}\n", "swarm.dht-nodes: "},
      {"swarm: {neighbours: [\"hv1.example.org:6881\"]}\n", "swarm.neighbours: "},
      {"store: {directory: data}\n", "store.directory: "},
      {"store: {seed-from: [data]}\n", "store.seed-from: "},
      {"store: {size: 1.5}\nhost: [a]\n", "host: "},
      {"control: {metrics: yes}\n", "control.metrics: "},
  }));
  auto const read = parsed(wrong.text);
  INFO(wrong.text);
  REQUIRE_FALSE(read);
  CHECK(word(read.error().fault) == word(Fault::config_value));
  CHECK_THAT(read.error().what, Catch::StartsWith("/etc/x.yaml:") && Catch::Contains(std::string{wrong.says}));
}

TEST_CASE("a host shows one certificate to the peers of private images, or one for each of its groups") {
  auto const one = parsed("swarm:\n  ssl: {certificate: /a.pem, key: /a.key}\n  ssl-port: 7000\n");
  REQUIRE(one);
  CHECK(one->swarm.ssl == std::vector<flow::SslSettings>{{"/a.pem", "/a.key"}});
  CHECK(one->swarm.ssl_port == 7000);
  auto const two =
      parsed("swarm:\n  ssl:\n    - {certificate: /a.pem, key: /a.key}\n    - {certificate: /b.pem, key: /b.key}\n");
  REQUIRE(two);
  CHECK(two->swarm.ssl == std::vector<flow::SslSettings>{{"/a.pem", "/a.key"}, {"/b.pem", "/b.key"}});
  CHECK_THAT(parsed("swarm:\n  ssl: {certificate: /a.pem}\n").error().what,
             Catch::Contains("swarm.ssl.key: it is missing"));
  CHECK_THAT(parsed("swarm:\n  ssl: /a.pem\n").error().what, Catch::Contains("swarm.ssl: a list is expected"));
  CHECK_THAT(parsed("swarm:\n  ssl: [{certificate: a.pem, key: /a}]\n").error().what, Catch::Contains("absolute"));
}

TEST_CASE("addresses and networks of both families are taken") {
  auto const read = parsed(
      "swarm:\n  listen: \"[::]:6881\"\n  networks: [10.0.0.0/8, \"2001:db8::/32\", 192.0.2.1]\n"
      "  dht-nodes: [\"hv1.example.org:6881\", \"[2001:db8::1]:1\"]\n  trackers: [\"udp://t:1/announce\"]\n");
  REQUIRE(read);
  CHECK(read->swarm.networks.size() == 3);
  CHECK(read->swarm.dht_nodes.size() == 2);
}

TEST_CASE("a file that is missing is told apart from one that is wrong") {
  CHECK(load("/nonexistent/imageswarmd.yaml").error().fault == Fault::config_missing);
}

}  // namespace
}  // namespace imageswarm::settings
