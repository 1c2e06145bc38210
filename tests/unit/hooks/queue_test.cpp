#include "daemon/hooks/queue.hpp"

#include <sys/mount.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/sample_want.hpp"
#include "tests/support/temporary_directory.hpp"

namespace imageswarm::hooks {
namespace {

using namespace std::chrono_literals;
using flow::EventKind;

TimePoint const start = parse_time("2031-05-02T10:00:00Z").value();

Event event(EventKind kind, std::string detail = "", char const* name = "a") {
  auto want = test::sample_want();
  want.image.image_id = Uuid::named(want.image.uuid, name);
  auto const id = want.image.image_id;
  return {.announcement = {id, kind, std::move(detail)},
          .want = std::move(want),
          .state = state::ImageState::active,
          .reason = {},
          .sinks = {{"glance", "mysite", state::SinkState::present, id.text(), std::nullopt}},
          .error = {}};
}

flow::HookSettings hook(std::string program, std::vector<EventKind> events = {}) {
  return {.events = std::move(events), .run = {std::move(program)}};
}

/// A queue on a state file, as if the daemon had just been started with these hooks.
struct Queued {
  explicit Queued(std::filesystem::path const& file, std::vector<flow::HookSettings> const& hooks = {hook("/a")})
      : state{state::State::open(file).value()} {
    REQUIRE(queue.load());
    REQUIRE(queue.configure("hv001", hooks));
  }
  std::string kind_of(Task const& task) const { return nlohmann::json::parse(task.body)["event"]; }

  state::State state;
  Queue queue{state};
  Queue::SteadyTime now = std::chrono::steady_clock::now();
};

TEST_CASE("an event waits for each hook that asks for its kind, whatever becomes of the daemon") {
  test::TemporaryDirectory const directory;
  std::vector const hooks{hook("/a"), hook("/b", {EventKind::recalled})};
  std::string body;
  {
    Queued host{directory / "state", hooks};
    REQUIRE(host.queue.announce(event(EventKind::available), start));
    auto const task = host.queue.take(host.now);
    REQUIRE(task);
    CHECK(task->hook.name() == "/a");
    CHECK_FALSE(host.queue.take(host.now));
    body = task->body;
  }  // in the middle of the run
  Queued host{directory / "state", hooks};
  auto const task = host.queue.take(host.now);
  REQUIRE(task);
  CHECK(task->body == body);  // under the same ID
  host.queue.delivered(task->number);
  CHECK_FALSE(host.queue.take(host.now));
  CHECK_FALSE(Queued(directory / "state2", hooks).queue.take(host.now));
}

TEST_CASE("what was delivered stays delivered, and what was announced is no news after a restart") {
  test::TemporaryDirectory const directory;
  {
    Queued host{directory / "state"};
    REQUIRE(host.queue.announce(event(EventKind::available), start));
    host.queue.delivered(host.queue.take(host.now)->number);
  }
  Queued host{directory / "state"};
  CHECK(host.queue.knows(event(EventKind::available).announcement));
  REQUIRE(host.queue.announce(event(EventKind::available), start));
  CHECK_FALSE(host.queue.take(host.now));
  REQUIRE(host.queue.announce(event(EventKind::available, "elsewhere"), start));
  CHECK(host.queue.take(host.now));
}

TEST_CASE("a hook is told of each image in order, and one that it cannot take holds up no other image") {
  test::TemporaryDirectory const directory;
  Queued host{directory / "state"};
  REQUIRE(host.queue.announce(event(EventKind::available), start));
  REQUIRE(host.queue.announce(event(EventKind::recalled), start));
  REQUIRE(host.queue.announce(event(EventKind::superseded, "", "b"), start));
  auto const first = host.queue.take(host.now);
  CHECK(host.kind_of(*first) == "available");
  host.queue.failed(first->number, {Fault::child_failed, "it ended with status 1"}, start, host.now);
  auto const other = host.queue.take(host.now);
  CHECK(host.kind_of(*other) == "superseded");
  host.queue.delivered(other->number);
  CHECK_FALSE(host.queue.take(host.now));
  CHECK(host.queue.settled());
  CHECK(host.queue.next_try() == host.now + 5s);
  CHECK(host.kind_of(*host.queue.take(host.now + 5s)) == "available");
}

TEST_CASE("pauses grow up to an hour, and after a month an event is given up") {
  CHECK(retry_delay(1) == 5s);
  CHECK(retry_delay(2) == 10s);
  CHECK(retry_delay(9) == 1280s);
  CHECK(retry_delay(11) == 1h);
  CHECK(retry_delay(1000) == 1h);
  test::TemporaryDirectory const directory;
  Queued host{directory / "state"};
  REQUIRE(host.queue.announce(event(EventKind::available), start));
  Error const error{Fault::timeout, "it took longer"};
  host.queue.failed(host.queue.take(host.now)->number, error, start + Queue::days_kept - 1s, host.now);
  CHECK(host.queue.statuses().front().waiting == 1);
  CHECK(host.queue.statuses().front().error->fault == Fault::timeout);
  host.queue.failed(host.queue.take(host.now + 5s)->number, error, start + Queue::days_kept, host.now);
  CHECK(host.queue.statuses().front().waiting == 0);
}

TEST_CASE("when too many wait for a hook the oldest is given up") {
  test::TemporaryDirectory const directory;
  Queued host{directory / "state"};
  for (unsigned i = 0; i < Queue::most_waiting + 2; ++i) {
    REQUIRE(host.queue.announce(event(EventKind::failed, std::to_string(i)), start + std::chrono::seconds{i}));
  }
  auto const row = host.queue.statuses().front();
  CHECK(row.waiting == Queue::most_waiting);
  CHECK(row.oldest == start + 2s);
}

TEST_CASE("what waits for a hook that is no longer configured is dropped, for the others it stays") {
  test::TemporaryDirectory const directory;
  {
    Queued host{directory / "state", {hook("/a"), hook("/b")}};
    REQUIRE(host.queue.announce(event(EventKind::available), start));
  }
  Queued host{directory / "state", {hook("/b")}};
  CHECK(host.queue.take(host.now)->hook.name() == "/b");
  CHECK(host.state.deliveries()->size() == 1);
}

TEST_CASE("a run that is under way is not begun again by a reload") {
  test::TemporaryDirectory const directory;
  Queued host{directory / "state"};
  REQUIRE(host.queue.announce(event(EventKind::available), start));
  auto const task = host.queue.take(host.now);
  REQUIRE(host.queue.configure("hv001", {hook("/a"), hook("/b")}));
  CHECK_FALSE(host.queue.take(host.now));
  host.queue.delivered(task->number);
  CHECK(host.state.deliveries()->empty());
}

TEST_CASE("on a full disk an event is neither queued nor known, so that it is announced again") {
  test::TemporaryDirectory const directory;
  if (::mount("none", directory.path().c_str(), "tmpfs", 0, "size=512k") != 0) {
    WARN("mounting is not allowed here: not tested");
    return;
  }
  {
    Queued host{directory / "state"};
    auto big = event(EventKind::withdrawn);
    big.reason = std::string(1'000'000, 'x');  // there is room for the announcement, not for what follows from it
    auto const full = host.queue.announce(big, start);
    REQUIRE_FALSE(full);
    CHECK(full.error().fault == Fault::disk_full);
    CHECK_FALSE(host.queue.knows(big.announcement));
    CHECK_FALSE(host.queue.take(host.now));
    CHECK(host.state.announcements()->empty());
    REQUIRE(host.queue.announce(event(EventKind::available), start));
    CHECK(host.queue.take(host.now));
  }
  ::umount(directory.path().c_str());
}

TEST_CASE("a queue that somebody wrote into is not taken for an empty one") {
  test::TemporaryDirectory const directory;
  {
    Queued host{directory / "state"};
    REQUIRE(host.queue.announce(event(EventKind::available, "no digest"), start));
  }
  {
    // The last kilobytes of the log are zeros, as after a power cut on a disk that lied.
    auto const file = directory / "state";
    std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  }
  auto const torn = state::State::open(directory / "state");
  REQUIRE_FALSE(torn);
  CHECK(torn.error().fault == Fault::state_corrupt);
}

TEST_CASE("what a hook is told names image, origin, sinks and fault in the words of status") {
  auto failed = event(EventKind::failed, "glance-quota");
  failed.state = state::ImageState::failed;
  failed.error = Error{Fault::glance_quota, "no room"};
  auto const id = Uuid::random();
  auto const json = nlohmann::json::parse(told(failed, id, "hv001", start));
  CHECK(json["event"] == "failed");
  CHECK(json["id"] == id.text());
  CHECK(json["time"] == "2031-05-02T10:00:00Z");
  CHECK(json["host"] == "hv001");
  CHECK(json["image"]["name"] == failed.want.image.name);
  CHECK(json["image"]["content-sha256"] == failed.want.image.content_sha256.hex());
  CHECK(json["image"]["content-size"] == failed.want.image.content_size.value);
  CHECK(json["catalogue"] == "lxcloud");
  CHECK(json["serial"] == 42);
  CHECK(json["state"] == "failed");
  CHECK(json["reason"].is_null());
  CHECK(json["sinks"][0]["reference"] == failed.want.image.image_id.text());
  CHECK(json["sinks"][0]["state"] == "present");
  CHECK(json["fault"] == "glance-quota");
  CHECK(json["error"] == "no room");
}

}  // namespace
}  // namespace imageswarm::hooks
