#include "common/base/uuid.hpp"

#include <catch2/catch.hpp>

namespace imageswarm {
namespace {

TEST_CASE("a UUID is read in either case and written in lower case") {
  auto const uuid = Uuid::parse("6BA7B810-9dad-11d1-80b4-00c04fd430c8");
  REQUIRE(uuid);
  CHECK(uuid->text() == "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  for (auto text : {"", "6ba7b8109dad11d180b400c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430c",
                    "6ba7b810-9dad-11d1-80b4-00c04fd430c8 ", "{6ba7b810-9dad-11d1-80b4-00c04fd430c}",
                    "6ba7b8-109dad-11d1-80b4-00c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430cg",
                    "------------------------------------"}) {
    INFO(text);
    CHECK(Uuid::parse(text).error().fault == Fault::doc_field);
  }
}

TEST_CASE("a name in a namespace gives the UUID of RFC 4122 version 5") {
  // python3 -c 'import uuid; print(uuid.uuid5(uuid.NAMESPACE_DNS, "python.org"))'
  auto const dns = *Uuid::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  CHECK(Uuid::named(dns, "python.org").text() == "886313e1-3b8a-5372-9b90-0c9aee199e5d");
}

TEST_CASE("random UUIDs are of version 4 and differ") {
  auto const a = Uuid::random(), b = Uuid::random();
  CHECK(a != b);
  CHECK(a.text()[14] == '4');
  CHECK(std::string_view{"89ab"}.find(a.text()[19]) != std::string_view::npos);
}

}  // namespace
}  // namespace imageswarm
