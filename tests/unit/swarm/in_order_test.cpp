#include <chrono>
#include <optional>

#include "fixture.hpp"

using namespace imageswarm;
using namespace imageswarm::test;
using flow::Arrival;

namespace {

auto soon() {
  return std::chrono::steady_clock::now() + std::chrono::seconds{20};
}

/// An artefact, a host that has it, and a place for another one.
class Site {
public:
  explicit Site(std::size_t size) : artefact{size} {
    source_.add(artefact.transfer(seeded(directory_, artefact), {tracker_.url()}, true));
  }
  swarm::Transfer transfer(std::shared_ptr<Arrival> arrival) const {
    auto made = artefact.transfer(place, {tracker_.url()});
    made.arrival = std::move(arrival);
    return made;
  }

private:
  TemporaryDirectory directory_;
  Tracker tracker_;

public:
  Artefact artefact;
  fs::path place = fresh(directory_, "place");

private:
  Host source_;
};

/// Lets it become complete in a swarm, and says how much was told to have come in order.
ByteCount told_of(swarm::Transfer transfer) {
  auto const arrival = transfer.arrival;
  Host host;
  host.add(std::move(transfer));
  REQUIRE(host.ends_with(Event::Kind::complete));
  return arrival->in_order();
}

}  // namespace

TEST_CASE("a transfer tells how much has come in order, and by then others can read it", "[swarm][in_order]") {
  Site const site{1'000'001};
  auto const arrival = std::make_shared<Arrival>();
  Host host;
  host.add(site.transfer(arrival));
  for (ByteCount here; here.value < site.artefact.content.size();) {
    REQUIRE(arrival->wait(here + ByteCount{1}, soon(), {}));
    here = arrival->in_order();
    REQUIRE(content_at(site.place / site.artefact.name).substr(0, here.value) ==
            site.artefact.content.substr(0, here.value));
  }
  CHECK(host.next_is(Event::Kind::complete));
}

TEST_CASE("pieces that were put in place have come, those that a resume file claims have not", "[swarm][in_order]") {
  Site const site{400'000};
  auto transfer = site.transfer(std::make_shared<Arrival>());
  write(site.place / site.artefact.name, site.artefact.content);
  transfer.pieces_here = std::vector<bool>(25, true);
  CHECK(told_of(transfer) == ByteCount{400'000});
  REQUIRE(fs::exists(site.place / "resume"));
  transfer.arrival = std::make_shared<Arrival>();
  CHECK(told_of(std::move(transfer)) == ByteCount{0});
}

TEST_CASE("who waits for a transfer that is taken out learns that nothing more will come", "[swarm][in_order]") {
  Site const site{400'000};
  auto const arrival = std::make_shared<Arrival>();
  auto transfer = site.transfer(arrival);
  transfer.trackers = {};  // nobody has it
  Host host;
  host.add(std::move(transfer));
  host.swarm->remove(site.artefact.image_id);
  auto const deadline = soon();
  CHECK_FALSE(arrival->wait({1}, deadline, {}));
  CHECK(std::chrono::steady_clock::now() < deadline);
}
