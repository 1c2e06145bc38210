#include <rapidcheck.h>
#include <rapidcheck/catch.h>

#include "common/document/model.hpp"

namespace imageswarm::document {
namespace {

/// Few different numbers, so that many versions are equal or nearly so.
Version any_version() {
  auto const number = rc::gen::element<std::string>("0", "00", "1", "01", "2", "10", "18446744073709551616");
  auto const parts = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(number));
  Version version{parts.front()};
  for (auto part = parts.begin() + 1; part != parts.end(); ++part) version.text += "." + *part;
  return version;
}

TEST_CASE("versions are in a total order") {
  rc::prop("of two, one is not the larger, and both ways agree", [] {
    auto const a = any_version(), b = any_version();
    RC_ASSERT((a <=> b) == (0 <=> (b <=> a)));
    RC_ASSERT((a == b) == std::is_eq(a <=> b));
  });
  rc::prop("what follows what follows, follows", [] {
    auto const a = any_version(), b = any_version(), c = any_version();
    if (a <= b && b <= c) RC_ASSERT(a <= c);
  });
  rc::prop("a further part makes a later version", [] {
    auto const a = any_version();
    RC_ASSERT(Version{a.text + ".0"} > a);
  });
}

}  // namespace
}  // namespace imageswarm::document
