#include "common/base/units.hpp"

#include <catch2/catch.hpp>
#include <string_view>

namespace imageswarm {
namespace {

using namespace std::chrono_literals;

TEST_CASE("sizes are read in powers of 1000 and of 1024") {
  CHECK(parse_size("512")->value == 512);
  CHECK(parse_size("512B")->value == 512);
  CHECK(parse_size("30GB")->value == 30'000'000'000);
  CHECK(parse_size("30G")->value == 30'000'000'000);
  CHECK(parse_size("4MiB") == 4_MiB);
  CHECK(parse_size("16 KiB") == 16_KiB);
  CHECK(parse_size("1.5GiB")->value == 1'610'612'736);
  CHECK(parse_size("9007199254740993")->value == 9'007'199'254'740'993);
  CHECK(parse_size("0")->value == 0);
  for (auto text : {"", "B", "MB", "-1", "+1", "1e3", "0x10", "1 2", "1XB", "1mb", " 1", "1.GB.", "99999999999TiB",
                    "nan", "inf", "18446744073709551616", "1.5", "0.3B"}) {
    INFO(text);
    REQUIRE_FALSE(parse_size(text));
    CHECK(parse_size(text).error().fault == Fault::usage);
  }
}

TEST_CASE("rates are bytes or bits per second, or unlimited") {
  CHECK(parse_rate("20MB/s")->bytes_per_second == 20'000'000);
  CHECK(parse_rate("100Mbit/s")->bytes_per_second == 12'500'000);
  CHECK(parse_rate("1MiB/s")->bytes_per_second == 1'048'576);
  CHECK(parse_rate("unlimited")->unlimited());
  for (auto text : {"", "20", "20MB", "0B/s", "0MB/s", "1bit/s", "-1MB/s", "MB/s", "unlimite", "20MB/h"}) {
    INFO(text);
    CHECK_FALSE(parse_rate(text));
  }
}

TEST_CASE("a rate is written so that it is read back") {
  for (Rate rate : {Rate{}, Rate{1}, Rate{12'500'000}, Rate{9'007'199'254'740'993}}) {
    CHECK(parse_rate(exact(rate)) == rate);
  }
}

TEST_CASE("a duration is a number and one unit") {
  CHECK(parse_duration("90s") == 90s);
  CHECK(parse_duration("15m") == 15min);
  CHECK(parse_duration("2h") == 2h);
  CHECK(parse_duration("28d") == 24h * 28);
  CHECK(parse_duration("4w") == 24h * 28);
  for (auto text : {"", "s", "15", "1.5h", "-1s", "1h30m", "15 m", "99999999999w"}) {
    INFO(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("a number is decimal digits in its range and nothing else") {
  CHECK(parse_number("0", 0, 10) == 0u);
  CHECK(parse_number("10", 0, 10) == 10u);
  CHECK(parse_number("18446744073709551615", 0, UINT64_MAX) == UINT64_MAX);
  for (auto text : {"", "11", "-1", "+1", " 1", "1 ", "01", "0x1", "1.0", "18446744073709551616"}) {
    INFO(text);
    CHECK_FALSE(parse_number(text, 0, 10));
  }
}

TEST_CASE("a message about a wrong value can be shown on a terminal") {
  for (auto const& what : {parse_size("\x1B[2J").error().what, parse_rate("\x1B[2J").error().what,
                           parse_duration("\x1B[2J").error().what, parse_number("\x1B[2J", 0, 1).error().what}) {
    CHECK_THAT(what, Catch::StartsWith("'\\x1b[2J' is not"));
  }
}

TEST_CASE("sizes, rates and spans are shown with three digits or two units") {
  CHECK(human(ByteCount{0}) == "0 B");
  CHECK(human(ByteCount{999}) == "999 B");
  CHECK(human(ByteCount{1000}) == "1.00 kB");
  CHECK(human(ByteCount{9'994}) == "9.99 kB");
  CHECK(human(ByteCount{9'996}) == "10.0 kB");
  CHECK(human(ByteCount{999'499}) == "999 kB");
  CHECK(human(ByteCount{999'500}) == "1.00 MB");
  CHECK(human(ByteCount{2'770'000'000}) == "2.77 GB");
  CHECK(human(Rate{12'500'000}) == "12.5 MB/s");
  CHECK(human(Rate{}) == "unlimited");
  CHECK(human(0s) == "0s");
  CHECK(human(250s) == "4m 10s");
  CHECK(human(24h * 2 + 3h + 5min) == "2d 3h");
  CHECK(human(1h + 5s) == "1h");
  CHECK(human(-5s) == "0s");
}

TEST_CASE("a difference of sizes is never negative") {
  CHECK(ByteCount{1} - ByteCount{2} == ByteCount{0});
  CHECK(ByteCount{3} - ByteCount{1} == ByteCount{2});
}

}  // namespace
}  // namespace imageswarm
