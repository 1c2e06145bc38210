#include <catch2/catch.hpp>

#include "tests/unit/coordinator/fixture.hpp"

// What was made of images on this host, and how it goes with them.

using namespace imageswarm;
using namespace imageswarm::test;
using flow::Retirement;

namespace {

/// As if an appliance had been made of the image.
flow::Want derived_from(Published const& source) {
  auto want = source.want;
  want.derived_from = source.id();
  want.image.uuid = source.id();
  want.image.content_sha256 = digest_of<Sha256>("what was made of it");
  want.image.image_id = document::image_id_of(want.image.uuid, want.image.content_sha256);
  want.image.name = "grid-node";
  return want;
}

flow::Receipt receipt_of(flow::Want const& want, std::string sink) {
  return {.image_id = want.image.image_id,
          .sink = std::move(sink),
          .sink_type = "glance",
          .reference = want.image.image_id.text(),
          .content_sha256 = want.image.content_sha256,
          .content_sha512 = want.image.content_sha512,
          .size = want.image.content_size,
          .compared = {},
          .provenance = want.provenance,
          .at = {},
          .uploaded_here = true};
}

struct DerivedHost : Host {
  Published const source{"1"};
  flow::Want const want = derived_from(source);
  Uuid const id = want.image.image_id;

  DerivedHost() {
    bring(source);
    REQUIRE(images->hold_derived(want));
    REQUIRE(images->record_derived(want, receipt_of(want, "glance")));
  }
  bool has_receipt() const {
    auto const receipts = images->receipts();
    return std::ranges::count(receipts, id, &flow::Receipt::image_id) > 0;
  }
  bool was_retired(Retirement why) const {
    auto const retired = sinks.front()->retired();
    return std::ranges::count(retired, std::pair{id, why}) > 0;
  }
};

}  // namespace

TEST_CASE("only what is selected, whole and verified can be made something of") {
  Host host;
  Published const image{"1"};
  CHECK(host.images->derivable(image.id()).error().fault == Fault::not_found);
  host.know(image);
  host.plan({image.decided(Verdict::selected)});
  CHECK(host.images->derivable(image.id()).error().fault == Fault::not_found);
  host.deliver(image);
  REQUIRE(host.until([&] { return host.state_of(image) == ImageState::active; }));
  auto const found = host.images->derivable(image.id());
  REQUIRE(found);
  CHECK(found->artefact == host.artefact(image));
  CHECK(found->want.image.image_id == image.id());
  host.plan({image.decided(Verdict::not_approved)});
  CHECK(host.images->derivable(image.id()).error().fault == Fault::not_found);
}

TEST_CASE("what was made of an image goes with it, whatever ends its use, and also after a restart") {
  auto const [verdict, why] = GENERATE(table<Verdict, Retirement>({{Verdict::withdrawn, Retirement::withdrawn},
                                                                   {Verdict::recalled, Retirement::recalled},
                                                                   {Verdict::expired, Retirement::expired},
                                                                   {Verdict::not_approved, Retirement::not_approved}}));
  DerivedHost host;
  host.restart();
  host.plan({host.source.decided(Verdict::selected)});
  host.let_run();
  REQUIRE(host.has_receipt());
  host.plan({host.source.decided(verdict)});
  REQUIRE(host.until([&] { return !host.has_receipt(); }));
  CHECK(host.was_retired(why));
  auto const departed = host.images->departures();
  CHECK(std::ranges::count_if(departed, [&](auto const& one) { return one.want.image.image_id == host.id; }) == 1);
}

TEST_CASE("what still uses it when its source is gone for good goes later") {
  DerivedHost host;
  host.sinks.front()->be_used(true);
  auto const artefact = flow::verify_artefact(host.artefact(host.source), host.source.want.image, {});
  REQUIRE(artefact);
  REQUIRE(host.sinks.front()->put(host.want, *artefact, {}, {}));
  host.plan({host.source.decided(Verdict::recalled)});
  REQUIRE(host.until([&] { return host.was_retired(Retirement::recalled); }));
  REQUIRE(host.has_receipt());
  host.sinks.front()->be_used(false);
  host.restart();
  host.plan({});
  CHECK(host.until([&] { return !host.has_receipt(); }));
}

TEST_CASE("a newer version of the image leaves what was made of the older one") {
  DerivedHost host;
  host.plan({host.source.decided(Verdict::superseded)});
  host.let_run();
  CHECK(host.has_receipt());
}

TEST_CASE("selection is not asked about what was made here: no catalogue lists it") {
  DerivedHost host;
  for (auto const& held : host.images->held()) CHECK(held.image.image_id != host.id);
  host.plan({host.source.decided(Verdict::recalled)});
  REQUIRE(host.until([&] { return !host.has_receipt(); }));
  for (auto const& departed : host.images->departed()) CHECK(departed.want.image.image_id != host.id);
}

TEST_CASE("what arrives in a sink while its source goes is taken out of use again") {
  DerivedHost host;
  host.plan({host.source.decided(Verdict::recalled)});
  REQUIRE(host.until([&] { return !host.has_receipt(); }));
  auto const before = host.sinks.front()->retired().size();
  REQUIRE(host.images->record_derived(host.want, receipt_of(host.want, "glance")));
  REQUIRE(host.has_receipt());
  bool const is_forgotten_by_catalogues = GENERATE(false, true);
  host.plan(is_forgotten_by_catalogues ? std::vector<Decision>{} : std::vector{host.source.decided(Verdict::recalled)});
  REQUIRE(host.until([&] { return !host.has_receipt(); }));
  CHECK(host.sinks.front()->retired().size() > before);
}
