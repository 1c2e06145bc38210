#include "daemon/state/want_text.hpp"

#include <catch2/catch.hpp>

#include "tests/support/sample_want.hpp"

namespace imageswarm::state {
namespace {

TEST_CASE("what is wanted comes back from its text as it was") {
  auto const want = test::sample_want();
  auto const back = read_want(write(want));
  REQUIRE(back);
  CHECK(yaml::write(document::to_value(back->image)) == yaml::write(document::to_value(want.image)));
  CHECK(back->provenance.catalogue == "lxcloud");
  CHECK(back->provenance.catalogue_url == want.provenance.catalogue_url);
  CHECK(back->provenance.serial == 42);
  CHECK(back->provenance.catalogue_digest == want.provenance.catalogue_digest);
  CHECK(back->provenance.endorser == want.provenance.endorser);
  CHECK(back->provenance.approval == "policy all");
  CHECK(back->endorser.same_identity(want.endorser));
  CHECK(back->endorser.certificate_expires == want.endorser.certificate_expires);
  CHECK(back->torrent_url == want.torrent_url);
  CHECK(back->trackers == want.trackers);
  CHECK(back->web_seeds == want.web_seeds);
  CHECK_FALSE(back->derived_from);
}

TEST_CASE("what was made of an image keeps its source") {
  auto want = test::sample_want();
  want.derived_from = Uuid::random();
  auto const back = read_want(write(want));
  REQUIRE(back);
  CHECK(back->derived_from == want.derived_from);
}

TEST_CASE("text without what it must have is refused and not guessed") {
  auto const whole = write(test::sample_want());
  for (auto const* key : {"torrent-url:", "catalogue-sha256:", "subject:", "image-id:", "provenance:", "image:"}) {
    INFO(key);
    auto broken = whole;
    broken.replace(broken.find(key), 1, "x");
    CHECK_FALSE(read_want(broken));
  }
  CHECK_FALSE(read_want(""));
  CHECK_FALSE(read_want("{"));
}

}  // namespace
}  // namespace imageswarm::state
