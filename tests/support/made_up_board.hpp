#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/control/control.hpp"
#include "daemon/state/board.hpp"

namespace imageswarm::test {

inline Uuid uuid(char digit) {
  std::string const text(12, digit);
  return Uuid::parse(text.substr(0, 8) + "-0000-4000-8000-" + text).value();
}

inline state::ImageStatus image(char id, std::string name, std::string version, state::ImageState state) {
  state::ImageStatus image;
  image.image_id = uuid(id);
  image.uuid = Uuid::named(uuid('0'), name);
  image.name = std::move(name);
  image.version = {std::move(version)};
  image.endorser = "CN=Ada Endorser,O=Example (issuer CN=Example CA,O=Example)";
  image.catalogue = "lxcloud";
  image.state = state;
  return image;
}

/// A board with something of everything; the image with the ID 1111… is being fetched.
inline state::Board made_up_board() {
  using namespace state;
  auto const time = [](std::string_view text) { return parse_time(text).value(); };
  Board board;
  board.host = "hv001.example.org";
  board.first_round_done = true;
  board.hooks = {
      {.name = "/usr/local/sbin/tell-portal --site cern",
       .events = {flow::EventKind::available, flow::EventKind::recalled},
       .waiting = 2,
       .oldest = time("2031-05-02T00:00:00Z"),
       .running = false,
       .error = Error{Fault::child_failed, "it ended with status 7"}},
      {.name = "/usr/local/sbin/pool-refresh", .events = {}, .waiting = 0, .oldest = {}, .running = true, .error = {}}};
  board.limits.upload_rate = Rate{20'000'000};
  board.subscriptions = {
      {"lxcloud", document::Kind::catalogue, "https://images.example.org/catalogue.yaml", "", 1, 42,
       time("2031-06-01T00:00:00Z"), "10.0.0.7", SubscriptionState::current, std::nullopt, time("2031-05-02T00:00:00Z"),
       time("2031-05-02T00:15:00Z")},
      {"", document::Kind::approval_list, "https://site.example.org/approvals.yaml", "", std::nullopt, std::nullopt,
       std::nullopt, "", SubscriptionState::refused,
       Error{Fault::signer_not_listed, "signed by CN=Mallory,O=Example, which is not CN=Site Security,O=Example"},
       std::nullopt, std::nullopt}};

  auto fetching = image('1', "debian-12", "20310501", ImageState::fetching);
  fetching.progress = 0.564;
  fetching.download_rate = Rate{45'200'000};
  fetching.upload_rate = Rate{1'200'000};
  fetching.from_peers = {1'200'000'000};
  fetching.from_web_seeds = {300'000'000};
  fetching.uploaded = {30'000'000};
  fetching.peers = 7;
  fetching.sinks = {
      {"glance", "mysite", SinkState::working, uuid('1').text(),
       Error{Fault::glance_unavailable, "HTTP status 503 from https://glance.example.org, retrying in 30 s"}},
      {"directory", "/srv/images", SinkState::absent, "", std::nullopt}};
  fetching.reasons = {{"cluster", "lxcloud is one of lxcloud, testcloud", true},
                      {"approve rule 2 of site-approvals", "endorser CN=Ada Endorser,O=Example", true}};

  auto active = image('2', "debian-12", "20310401", ImageState::active);
  active.found_here = {2'770'000'000};
  active.uploaded = {9'000'000'000};
  active.upload_rate = Rate{3'400'000};
  active.sinks = {{"glance", "mysite", SinkState::present, uuid('2').text(), std::nullopt},
                  {"directory", "/srv/images", SinkState::present, "/srv/images/debian-12.qcow2", std::nullopt}};

  auto failed = image('3', "rocky-9", "9.4", ImageState::failed);
  failed.progress = 1.0;
  failed.sinks = {{"glance", "mysite", SinkState::absent, "", std::nullopt}};
  failed.error = Error{Fault::image_backing_file, "the qcow2 header names a backing file"};

  auto elsewhere = image('4', "windows-11", "23", ImageState::not_selected);
  elsewhere.reasons = {{"cluster", "lxcloud is not one of wincloud", false}};
  board.images = {fetching, active, failed, elsewhere};

  board.receipts = {{uuid('2'),
                     "mysite",
                     "glance",
                     uuid('2').text(),
                     digest_of<Sha256>("content"),
                     digest_of<Sha512>("content"),
                     {2'770'000'000},
                     "content-sha256 content-sha512 os-hash-sha512",
                     {"lxcloud", "https://images.example.org/catalogue.yaml", 41, digest_of<Sha256>("catalogue"),
                      "CN=Ada Endorser,O=Example (issuer CN=Example CA,O=Example)", "policy all"},
                     time("2031-04-02T10:00:00Z"),
                     true}};
  state::Departure departure;
  departure.want.image.image_id = uuid('5');
  departure.want.image.uuid = Uuid::named(uuid('0'), "rocky-9");
  departure.want.image.name = "rocky-9";
  departure.want.image.version = {"9.3"};
  departure.want.provenance.endorser = "CN=Ada Endorser,O=Example (issuer CN=Example CA,O=Example)";
  departure.why = flow::Retirement::recalled;
  departure.reason = "site-approvals serial 7 recalls name rocky-9: a hole in its login";
  departure.since = departure.unseeded.emplace(time("2031-05-02T00:00:00Z"));
  departure.discarded = time("2031-05-02T00:00:02Z");
  departure.sinks = {
      {"mysite", "glance", uuid('5').text(), flow::Effect::deactivated, "", time("2031-05-02T00:00:01Z"), std::nullopt},
      {"/srv/images", "directory", "/srv/images/rocky-9.raw", flow::Effect::in_use, "a program has it open",
       time("2031-05-02T00:00:01Z"), std::nullopt}};
  board.departures = {departure};
  board.faults = {{"glance-unavailable", 3}, {"signer-not-listed", 1}};
  return board;
}

/// Does to the board what it is told and remembers it.
struct FakeCommands final : control::Commands {
  state::Board shown = made_up_board();
  int refreshes = 0;
  std::vector<std::string> confirmed;

  state::Board const& board() override { return shown; }
  void refresh() override { ++refreshes; }
  void pause(bool paused) override { shown.paused = paused; }
  Result<> confirm(std::string const& document) override {
    if (document != "lxcloud") return fail(Fault::not_found, "no new version of '{}' is held back", document);
    confirmed.push_back(document);
    return {};
  }
  void limit(flow::HostRates const& rates) override { shown.limits = rates; }
  Result<> deploy(std::string const& grid, bool only_show) override {
    if (!shown.deployments.empty()) return fail(Fault::exists, "the grid {} is being deployed", grid);
    shown.deployments.push_back({.grid = grid, .only_shown = only_show, .running = true});
    return {};
  }
  std::vector<control::PeerRow> peers(Uuid const& image_id) const override {
    if (image_id != uuid('1')) return {};
    return {
        {"10.0.0.2:6881", "imageswarmd 0.1.0", 1.0, Rate{30'000'000}, Rate{0}, {900'000'000}, {}},
        {"10.0.0.3:6881", "imageswarmd 0.1.0", 0.25, Rate{15'200'000}, Rate{1'200'000}, {300'000'000}, {30'000'000}}};
  }
};

}  // namespace imageswarm::test
