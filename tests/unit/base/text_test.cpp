#include "common/base/text.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

namespace imageswarm {
namespace {

using namespace std::string_view_literals;

std::span<std::byte const> bytes_of(std::string_view text) {
  return std::as_bytes(std::span{text});
}

TEST_CASE("hex goes both ways, in lower case only") {
  CHECK(to_hex(bytes_of("\x00\xAB\xFF"sv)) == "00abff");
  CHECK(from_hex("00abff") == std::vector<std::uint8_t>{0, 0xAB, 0xFF});
  for (auto text : {"0", "AB", "0g", "0 "}) CHECK_FALSE(from_hex(text));
}

TEST_CASE("base64 goes both ways for every length") {
  std::string text;
  for (int i = 0; i < 70; ++i) {
    auto const decoded = from_base64(to_base64(bytes_of(text)));
    REQUIRE(decoded);
    CHECK(std::string(decoded->begin(), decoded->end()) == text);
    text += static_cast<char>(i * 37);
  }
  CHECK(to_base64(bytes_of("Ada")) == "QWRh");
}

TEST_CASE("base64 that could be read in two ways is refused") {
  for (auto text : {"QWRh\n", " QWRh", "QWR", "QQ=", "QR==", "Q===", "====", "QW=h", "QWR*", "QWR\xC3"}) {
    INFO(text);
    CHECK_FALSE(from_base64(text));
  }
}

TEST_CASE("what is shown has no control characters and no broken UTF-8, and an end") {
  CHECK(printable("plain é 😀") == "plain é 😀");
  CHECK(printable("\x1B[2J\n\x7F") == "\\x1b[2J\\x0a\\x7f");
  CHECK(printable("a\xFF") == "a\\xff");
  CHECK(printable("\xC2\x85") == "\\xc2\\x85");
  CHECK(printable("\xE2\x80") == "\\xe2\\x80");
  CHECK(printable("a\0b"sv) == "a\\x00b");
  CHECK(printable("abcdef", 3) == "abc…");
  CHECK(printable("abc", 3) == "abc");
}

TEST_CASE("what turns the direction of writing or has no width is shown as bytes") {
  auto const hidden = GENERATE(as<std::string>{}, "\u00AD", "\u061C", "\u200B", "\u200E", "\u200F", "\u2028", "\u202A",
                               "\u202E", "\u2060", "\u2066", "\u2069", "\uFEFF", "\uFFF9", "\U000E0041");
  auto const shown = printable("a" + hidden + "b");
  INFO(shown);
  CHECK(shown == "a" + printable(hidden) + "b");
  CHECK(shown.size() == 2 + 4 * hidden.size());
  CHECK(printable("\u200A\u2010\u202F\u205F\u2070\uFF01") == "\u200A\u2010\u202F\u205F\u2070\uFF01");
}

TEST_CASE("UTF-8 is judged by RFC 3629") {
  for (auto text : {"", "a", "é", "€", "😀", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF"}) CHECK(is_utf8(text));
  for (auto text : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
                    "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC3", "\xE2\x82", "a\xFFz"}) {
    INFO(printable(text));
    CHECK_FALSE(is_utf8(text));
  }
}

TEST_CASE("patterns match whole texts, and case counts") {
  CHECK(matches_glob("debian-*", "debian-12"));
  CHECK(matches_glob("*", ""));
  CHECK(matches_glob("**a?c*", "xxabc"));
  CHECK(matches_glob("hv???.example.org", "hv001.example.org"));
  CHECK(matches_glob("*.a*.b", "x.ab.a.b"));
  CHECK_FALSE(matches_glob("debian-*", "Debian-12"));
  CHECK_FALSE(matches_glob("debian", "debian-12"));
  CHECK_FALSE(matches_glob("?", ""));
  CHECK_FALSE(matches_glob("", "a"));
}

TEST_CASE("a pattern of many stars does not take forever") {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "*a";
  CHECK_FALSE(matches_glob(pattern + "b", std::string(2000, 'a')));
}

TEST_CASE("texts are split, trimmed and joined") {
  CHECK(split("a,,b", ',') == std::vector<std::string_view>{"a", "", "b"});
  CHECK(split("", ',') == std::vector<std::string_view>{""});
  CHECK(trimmed(" \t a b\n") == "a b");
  CHECK(trimmed("  ").empty());
  CHECK(lower_case("AbÉ") == "abÉ");
  CHECK(join(std::vector<std::string>{"a", "b"}, ", ") == "a, b");
}

}  // namespace
}  // namespace imageswarm
