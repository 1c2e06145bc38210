#include <rapidcheck.h>
#include <rapidcheck/catch.h>

#include <optional>

#include "daemon/state/state.hpp"
#include "tests/support/temporary_directory.hpp"

namespace imageswarm::state {
namespace {

TEST_CASE("whatever happens, the time floor and the serial floors on disk never go back") {
  rc::prop("over any moments, documents and restarts", [] {
    test::TemporaryDirectory const directory;
    std::optional<State> state{State::open(directory / "state.db").value()};
    trust::DocumentKey const key{document::Kind::catalogue, "example", "CN=Ada (issuer CN=CA)"};
    auto latest = build_time();
    std::optional<trust::Floor> accepted;
    for (int i = 0; i < 8; ++i) {
      auto const moment = build_time() + std::chrono::seconds{*rc::gen::inRange(-50, 50)};
      switch (*rc::gen::inRange(0, 3)) {
        case 0:
          RC_ASSERT(state->raise_time_floor(moment).has_value());
          latest = std::max(latest, moment);
          break;
        case 1:
          accepted = trust::Floor{1, (accepted ? accepted->serial : 0) + *rc::gen::inRange<std::uint64_t>(1, 9), {}};
          RC_ASSERT(state->accept({key, *accepted, "https://x/", "bytes", moment, moment}).has_value());
          latest = std::max(latest, moment);
          break;
        default:
          state.reset();
          state = State::open(directory / "state.db").value();
      }
      RC_ASSERT(state->time_floor().value() == latest);
      auto const floors = state->floors().value();
      RC_ASSERT(floors.contains(key) == accepted.has_value());
      if (accepted) RC_ASSERT(floors.at(key).serial == accepted->serial);
    }
  });
}

}  // namespace
}  // namespace imageswarm::state
