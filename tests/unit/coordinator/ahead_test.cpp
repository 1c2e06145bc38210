#include <catch2/catch.hpp>

#include "tests/unit/coordinator/fixture.hpp"

// What runs ahead of the swarm.

namespace imageswarm::coordinator {
namespace {

using test::FakeSink;
using test::Host;
using test::ImageState;
using test::Published;
using test::Verdict;

std::string_view half(Published const& image) {
  return std::string_view{image.content}.substr(0, image.content.size() / 2);
}

TEST_CASE("an image is hashed and brought into its sink while it arrives, and is active as soon as it is whole") {
  Host host;
  Published const image{"1"};
  auto const& sink = host.sinks.front();
  host.begin_to_deliver(image, half(image));
  REQUIRE(host.until([&] { return sink->calls("put") == 1; }));
  host.let_run();
  CHECK(host.state_of(image) == ImageState::fetching);
  CHECK_FALSE(sink->has(image.id()));
  host.deliver(image);
  REQUIRE(host.until([&] { return host.state_of(image) == ImageState::active; }));
  host.let_run();
  CHECK(sink->calls("put") == 1);
}

TEST_CASE("nothing is begun early before an eighth is there in order, or when the rest would take long") {
  Host host;
  Published const image{"1"};
  auto const& sink = host.sinks.front();
  host.begin_to_deliver(image, half(image).substr(0, image.content.size() / 8 - 1));
  host.let_run();
  CHECK(sink->calls("put") == 0);
  host.swarm.figures.front().download_rate = {image.content.size() / 2 / 121};
  host.swarm.joined.at(image.id()).arrival->reached({image.content.size() / 2});
  host.let_run();
  CHECK(sink->calls("put") == 0);
  host.deliver(image);
  CHECK(host.until([&] { return host.state_of(image) == ImageState::active; }));
}

TEST_CASE("of several sinks the first is served while the image arrives, the others when it is here") {
  auto const first = std::make_shared<FakeSink>("first"), second = std::make_shared<FakeSink>("second");
  Host host{{first, second}};
  Published const image{"1"};
  host.begin_to_deliver(image, half(image));
  REQUIRE(host.until([&] { return first->calls("put") == 1; }));
  host.let_run();
  CHECK(second->calls("put") == 0);
  host.deliver(image);
  REQUIRE(host.until([&] { return host.state_of(image) == ImageState::active; }));
  CHECK(first->calls("put") == 1);
  CHECK(second->calls("put") == 1);
}

TEST_CASE("a recall ends what runs ahead at once") {
  Host host;
  Published const image{"1"};
  auto const& sink = host.sinks.front();
  host.begin_to_deliver(image, half(image));
  REQUIRE(host.until([&] { return sink->calls("put") == 1; }));
  host.plan({image.decided(Verdict::recalled)});
  CHECK(host.swarm.joined.empty());
  CHECK(host.until([&] { return sink->calls("put cancelled") == 1; }));
  CHECK(host.until([&] { return !host.has_files(image); }));
  CHECK_FALSE(sink->has(image.id()));
}

TEST_CASE("what runs ahead gives up when the transfer is paused, and the image takes the usual way afterwards") {
  Host host;
  Published const image{"1"};
  auto const& sink = host.sinks.front();
  host.begin_to_deliver(image, half(image));
  REQUIRE(host.until([&] { return sink->calls("put") == 1; }));
  host.images->pause(true);
  REQUIRE(
      host.until([&] { return !host.images->busy() || host.row(image)->sinks[0].state == state::SinkState::absent; }));
  CHECK_FALSE(host.row(image)->error);
  host.images->pause(false);
  host.deliver(image);
  CHECK(host.until([&] { return host.state_of(image) == ImageState::active; }));
  CHECK(sink->calls("put") == 2);
}

TEST_CASE("what arrived and is not what was signed reaches no sink, and is fetched anew") {
  Host host;
  Published const image{"1"};
  auto const& sink = host.sinks.front();
  host.begin_to_deliver(image, std::string(image.content.size() / 2, 'y'));
  REQUIRE(host.until([&] { return sink->calls("put") == 1; }));
  host.deliver(image, std::string(image.content.size(), 'y'));
  REQUIRE(host.until([&] { return host.swarm.restarted.size() == 1; }));
  CHECK_FALSE(sink->has(image.id()));
  CHECK_FALSE(host.row(image)->sinks[0].error);  // it was not the sink's fault, so it does not wait for an hour
  host.deliver(image);
  CHECK(host.until([&] { return host.state_of(image) == ImageState::active; }));
}

TEST_CASE("what was in order before an artefact was found to be wrong is not run ahead on") {
  Host host;
  Published const image{"1"};
  host.know(image);
  host.plan({image.decided(Verdict::selected)});
  REQUIRE(host.until([&] { return host.swarm.joined.contains(image.id()); }));
  host.swarm.joined.at(image.id()).arrival->reached({image.content.size()});
  std::filesystem::remove(host.artefact(image));
  host.images->on_swarm_event({.image_id = image.id()});
  REQUIRE(host.until([&] { return host.swarm.restarted.size() == 1; }));
  Host::write(host.artefact(image), half(image));
  host.swarm.show_half(image.id(), {10'000});
  for (int turn = 0; turn < 45; ++turn) host.let_run();  // longer than until its next try
  CHECK(host.sinks.front()->calls("put") == 0);
  host.deliver(image);
  CHECK(host.until([&] { return host.state_of(image) == ImageState::active; }));
}

TEST_CASE("what may be in a sink is known after a crash, and retired even if no catalogue has it any more") {
  Host host;
  Published const image{"1"};
  auto const& sink = host.sinks.front();
  host.begin_to_deliver(image, half(image));
  REQUIRE(host.until([&] { return sink->calls("put") == 1; }));
  host.restart_after([&](state::State& left) {
    auto const held = left.held();
    REQUIRE(held->size() == 1);
    CHECK(held->front().want.image.image_id == image.id());
    CHECK_FALSE(held->front().whole);
  });
  host.plan({image.decided(Verdict::selected)});
  CHECK(host.state_of(image) == ImageState::fetching);  // what lies there is not taken for whole
  host.plan({image.decided(Verdict::withdrawn)});
  CHECK(host.until([&] { return sink->retired().size() == 1; }));
}

TEST_CASE("an image that lies on this host already does not run ahead") {
  Host host;
  Published const image{"1"};
  auto const folder = host.store.directory.parent_path() / "published";
  std::filesystem::create_directories(folder);
  Host::write(folder / image.want.image.torrent.content_name, image.content);
  host.store.seed_from = {folder};
  host.configure();
  host.know(image);
  host.plan({image.decided(Verdict::selected)});
  REQUIRE(host.until([&] { return host.swarm.joined.contains(image.id()); }));
  CHECK_FALSE(host.swarm.joined.at(image.id()).arrival);
}

TEST_CASE("a sink that another host is filling is asked again when the image is here, not before") {
  Host host;
  Published const image{"1"};
  auto const& sink = host.sinks.front();
  sink->fail_puts(Fault::glance_busy);
  host.begin_to_deliver(image, half(image));
  REQUIRE(host.until([&] { return sink->calls("put") == 1; }));
  host.let_run();
  CHECK(sink->calls("put") == 1);
  CHECK(sink->calls("find") == 0);
  sink->fail_puts({});
  host.deliver(image);
  CHECK(host.until([&] {
    host.images->tick();
    return host.state_of(image) == ImageState::active;
  }));
}

TEST_CASE("two images at most are worked on ahead, and none of them takes the place of one that is here") {
  Host host;
  auto const& sink = host.sinks.front();
  std::vector<Published> images;
  std::vector<test::Decision> decisions;
  for (auto const* version : {"1", "2", "3", "4"}) {
    images.emplace_back(version);
    host.know(images.back());
    decisions.push_back(images.back().decided(Verdict::selected));
  }
  host.plan(decisions);
  for (auto const& image : images) {
    REQUIRE(host.until([&] { return host.swarm.joined.contains(image.id()); }));
    auto const& transfer = host.swarm.joined.at(image.id());
    Host::write(host.artefact(image), half(image));
    transfer.arrival->reached({image.content.size() / 2});
    host.swarm.show_half(image.id(), {10'000});
  }
  host.images->tick();
  REQUIRE(host.until([&] { return sink->calls("put") == 2; }));
  host.let_run();
  CHECK(sink->calls("put") == 2);
  for (auto const& image : images) {
    if (host.row(image)->sinks[0].state == state::SinkState::working) continue;
    host.deliver(image);
    CHECK(host.until([&] { return host.state_of(image) == ImageState::active; }));
  }
  CHECK(sink->calls("put") == 4);
}

}  // namespace
}  // namespace imageswarm::coordinator
