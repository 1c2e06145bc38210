#include "indexer/exchange/vocabulary.hpp"

#include <catch2/catch.hpp>

namespace imageswarm::exchange {
namespace {

TEST_CASE("a title becomes a name that an image may have") {
  CHECK(image_name_of("worker") == "worker");
  CHECK(image_name_of("  Image [CentOS 7.9] / KVM ") == "Image -CentOS 7.9- - KVM");
  CHECK(image_name_of("büro") == "b-ro");
  CHECK(image_name_of("/../") == "image");
  CHECK(image_name_of("") == "image");
  for (auto const& title :
       {std::string(500, 'x'), std::string(500, ' '), std::string(127, 'x') + "//", "\n" + std::string(300, '-')}) {
    CHECK(document::is_image_name(image_name_of(title)));
  }
}

TEST_CASE("a version is its runs of digits") {
  CHECK(version_of("42")->text == "42");
  CHECK(version_of("2026.1.3")->text == "2026.1.3");
  CHECK(version_of("v2026.01-3rc1")->text == "2026.01.3.1");
  CHECK(version_of("20260110.1-")->text == "20260110.1");
  CHECK_FALSE(version_of(""));
  CHECK_FALSE(version_of("latest"));
  CHECK_FALSE(version_of(std::string(200, '1')));
  CHECK(*version_of("1.10") > *version_of("1.9"));
}

TEST_CASE("architectures and distributions have Glance's names") {
  CHECK(architecture_of("amd64") == "x86_64");
  CHECK(architecture_of("X86_64") == "x86_64");
  CHECK(architecture_of("ppc64el") == "ppc64le");
  CHECK(architecture_of("riscv64") == "riscv64");
  CHECK(distribution_of("Scientific Linux") == "scientificlinux");
}

TEST_CASE("text from outside is shown, never obeyed") {
  CHECK(plain_text(" Two lines\r\nof text ") == "Two lines  of text");
  CHECK(plain_text("red \x1b[31m") == "red  [31m");
}

TEST_CASE("the time of a mail is read with its zone") {
  CHECK(format_time(parse_mail_time("Sat, 10 Jan 2026 08:00:00 +0000").value()) == "2026-01-10T08:00:00Z");
  CHECK(format_time(parse_mail_time("Sat, 10 Jan 2026 08:00:00 -0130").value()) == "2026-01-10T09:30:00Z");
  for (auto const* text : {"", "2026-01-10", "Sat, 10 Jan 2026 08:00:00", "Sat, 10 Jan 2026 08:00:00 +0000 x"}) {
    CHECK_FALSE(parse_mail_time(text));
  }
}

}  // namespace
}  // namespace imageswarm::exchange
