#include "daemon/coordinator/events.hpp"

#include <sqlite3.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/unit/coordinator/fixture.hpp"

namespace imageswarm::coordinator {
namespace {

using test::FakeSink;
using test::Host;
using test::Published;
using test::Verdict;

/// A host with one hook, which is told nothing: everything waits.
struct Announcing : Host {
  explicit Announcing(std::vector<std::shared_ptr<FakeSink>> its_sinks = {std::make_shared<FakeSink>("glance")})
      : Host{std::move(its_sinks)} {
    hook_settings = {{.events = {}, .run = {"/hook"}}};
    restart();
  }

  /// From now on the state file takes no event.
  void refuse_events() {
    stop();
    sqlite3* handle = nullptr;
    REQUIRE(sqlite3_open((directory / "state.sqlite").c_str(), &handle) == SQLITE_OK);
    CHECK(sqlite3_exec(handle, "create trigger no before insert on delivery begin select raise(abort, 'no'); end",
                       nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(handle);
    start();
  }

  /// The kinds of all events, oldest first.
  std::vector<std::string> events() {
    std::vector<std::string> kinds;
    restart_after([&](state::State& state) {
      auto const stored = state.deliveries().value();
      for (auto const& delivery : stored) kinds.emplace_back(name_of(delivery.event));
    });
    return kinds;
  }
};

using Kinds = std::vector<std::string>;

TEST_CASE("an image is announced when it is in all its sinks, and once") {
  auto const first = std::make_shared<FakeSink>("first"), second = std::make_shared<FakeSink>("second");
  Announcing host{{first, second}};
  Published const image{"1"};
  second->be_slow(true);
  host.know(image);
  host.plan({image.decided(Verdict::selected)});
  host.deliver(image);
  REQUIRE(host.until([&] { return first->has(image.id()); }));
  CHECK(host.hooks->announced().empty());
  second->be_slow(false);
  REQUIRE(host.until([&] { return host.state_of(image) == test::ImageState::active; }));
  CHECK(host.events() == Kinds{"available"});
  host.plan({image.decided(Verdict::selected)});
  host.let_run();
  CHECK(host.events() == Kinds{"available"});
}

TEST_CASE("whatever ends an image's use is announced, and its return, too") {
  Announcing host;
  Published const image{"1"};
  host.bring(image);
  host.plan({image.decided(Verdict::superseded)});
  host.plan({image.decided(Verdict::recalled, "a hole")});
  REQUIRE(host.until([&] { return !host.has_files(image); }));
  host.bring(image);
  host.plan({image.decided(Verdict::expired)});
  CHECK(host.events() == Kinds{"available", "superseded", "recalled", "available", "withdrawn"});
}

TEST_CASE("an event that a crash kept from being written is made up for at the next start, before any plan") {
  Announcing host;
  Published const image{"1"};
  host.bring(image);
  host.plan({image.decided(Verdict::recalled, "a hole")});
  host.restart_after([&](state::State& left) {
    auto const stored = left.deliveries().value();
    for (auto const& delivery : stored) REQUIRE(left.forget_delivery(delivery.number));
    REQUIRE(left.forget_announcement(image.id()));  // as if neither had been written
  });
  host.images->announce_departures();
  CHECK(host.events() == Kinds{"recalled"});
}

TEST_CASE("an image whose receipt a crash kept from being written is announced already, and not twice") {
  Announcing host;
  Published const image{"1"};
  host.bring(image);
  host.restart_after([&](state::State& left) { REQUIRE(left.forget_receipt(image.id(), "glance")); });
  CHECK(host.hooks->knows({image.id(), flow::EventKind::available, "glance " + image.id().text() + "\n"}));
  host.plan({image.decided(Verdict::selected)});
  REQUIRE(host.until([&] { return host.state_of(image) == test::ImageState::active; }));
  CHECK(host.images->receipts().size() == 1);
  CHECK(host.events() == Kinds{"available"});
}

TEST_CASE("no receipt is written as long as the event cannot be") {
  Announcing host;
  Published const image{"1"};
  host.refuse_events();
  host.know(image);
  host.plan({image.decided(Verdict::selected)});
  host.deliver(image);
  REQUIRE(host.until([&] { return host.row(image)->error.has_value(); }));
  CHECK(host.images->receipts().empty());
  CHECK(host.hooks->announced().empty());
}

TEST_CASE("a failure is announced when another try would not mend it soon") {
  auto const sink = std::make_shared<FakeSink>("glance");
  Announcing host{{sink}};
  Published const image{"1"};
  sink->fail_puts(Fault::image_format_mismatch);  // refused: at once
  host.know(image);
  host.plan({image.decided(Verdict::selected)});
  host.deliver(image);
  REQUIRE(host.until([&] { return host.row(image)->error.has_value(); }));
  host.let_run();
  CHECK(host.hooks->knows({image.id(), flow::EventKind::failed, "image-format-mismatch"}));

  auto const flaky = std::make_shared<FakeSink>("glance");
  Announcing other{{flaky}};
  flaky->fail_puts(Fault::glance_unavailable);  // may be over in a moment
  other.know(image);
  other.plan({image.decided(Verdict::selected)});
  other.deliver(image);
  REQUIRE(other.until([&] { return other.row(image)->error.has_value(); }));
  other.let_run();
  CHECK(other.hooks->announced().empty());
}

TEST_CASE("an image that left every catalogue is forgotten, and one that is known is not") {
  Announcing host;
  Published const image{"1"};
  host.bring(image);
  host.plan({image.decided(Verdict::not_selected)});
  CHECK(host.hooks->announced().size() == 1);
  host.let_run();
  host.plan({});
  host.plan({});
  CHECK(host.hooks->announced().empty());
}

}  // namespace
}  // namespace imageswarm::coordinator
