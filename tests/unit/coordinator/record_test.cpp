#include "daemon/coordinator/record.hpp"

#include <catch2/catch.hpp>

namespace imageswarm::coordinator {
namespace {

using namespace std::chrono_literals;

TEST_CASE("what may mend itself is tried again after seconds that double up to five minutes") {
  CHECK(retry_delay(Fault::glance_unavailable, 1) == 4s);
  CHECK(retry_delay(Fault::glance_unavailable, 2) == 8s);
  CHECK(retry_delay(Fault::glance_unavailable, 50) == 5min);
}

TEST_CASE("what was refused is tried again after an hour: the same bytes would be refused again") {
  CHECK(retry_delay(Fault::image_backing_file, 1) == 1h);
}

TEST_CASE("a selected image with an error shows as failed, unless it is in its sinks already") {
  Record record;
  record.decision.verdict = selection::Verdict::selected;
  record.decision.may_fetch = true;
  record.retry.error = Error{Fault::http_connect, "no route"};
  CHECK(status_of(record).state == state::ImageState::failed);
  CHECK(status_of(record).error->fault == Fault::http_connect);
  record.complete = true;
  record.held = true;
  record.sinks.clear();
  CHECK(status_of(record).state == state::ImageState::failed);
}

TEST_CASE("a transfer that waits for sources is still fetching, and says what it waits for") {
  Record record;
  record.decision.verdict = selection::Verdict::selected;
  record.decision.may_fetch = true;
  record.joined = true;
  record.transfer.progress = 0.25;
  record.stall = Error{Fault::swarm_no_sources, "nobody has the missing pieces"};
  auto const row = status_of(record);
  CHECK(row.state == state::ImageState::fetching);
  CHECK(row.progress == 0.25);
  CHECK(row.error->fault == Fault::swarm_no_sources);
}

}  // namespace
}  // namespace imageswarm::coordinator
