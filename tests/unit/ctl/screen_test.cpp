#include "daemon/control/ctl/screen.hpp"

#include <catch2/catch.hpp>

namespace imageswarm::ctl {
namespace {

constexpr Screen utf8{80, 24, true, false};
constexpr Screen ascii{80, 24, false, false};

TEST_CASE("a bar grows by eighths of a column where blocks can be shown") {
  CHECK(bar(0, 4, utf8) == "░░░░");
  CHECK(bar(0.5, 4, utf8) == "██░░");
  CHECK(bar(0.53125, 4, utf8) == "██▏░");
  CHECK(bar(1, 4, utf8) == "████");
  CHECK(bar(7, 4, utf8) == "████");
  CHECK(bar(-1, 4, utf8) == "░░░░");
  for (int i = 0; i <= 1000; ++i) CHECK(columns_of(bar(i / 1000.0, 16, utf8)) == 16);
}

TEST_CASE("a bar is plain ASCII elsewhere") {
  CHECK(bar(0, 6, ascii) == "[----]");
  CHECK(bar(0.5, 6, ascii) == "[##--]");
  CHECK(bar(1, 6, ascii) == "[####]");
}

TEST_CASE("outside text cannot steer the terminal") {
  CHECK(safe("a\033[2Jb\nc\xff", utf8) == "a\\x1b[2Jb\\x0ac\\xff");
  CHECK(safe("Zoë…", utf8) == "Zoë…");
  CHECK(safe("Zoë…", ascii) == "Zo?...");
}

TEST_CASE("text is cut at whole characters and says so") {
  CHECK(cut("Zoë Ωmega", 9, utf8) == "Zoë Ωmega");
  CHECK(cut("Zoë Ωmega", 6, utf8) == "Zoë Ω…");
  CHECK(cut("abcdef", 4, ascii) == "abc~");
  CHECK(cut("abcdef", 1, ascii) == "~");
  CHECK(cut("abcdef", 0, ascii) == "abcdef");
}

TEST_CASE("a long line is broken at blanks and goes on indented; its own indent stays") {
  Screen const narrow{12, 24, true, false};
  CHECK(wrapped("  + one two three four", 4, narrow) == "  + one two\n    three\n    four");
  CHECK(wrapped("a-word-that-is-too-long for it", 2, narrow) == "a-word-that-is-too-long\n  for it");
  CHECK(wrapped("never broken without a terminal", 2, {}) == "never broken without a terminal");
  CHECK(wrapped("", 2, narrow).empty());
}

TEST_CASE("colours are only used where they are wanted") {
  CHECK(coloured("x", Colour::bad, utf8) == "x");
  CHECK(coloured("x", Colour::bad, {80, 24, true, true}) == "\033[31mx\033[0m");
  CHECK(coloured("", Colour::bad, {80, 24, true, true}).empty());
}

}  // namespace
}  // namespace imageswarm::ctl
