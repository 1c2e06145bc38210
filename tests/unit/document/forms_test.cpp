#include "common/document/forms.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "common/document/model.hpp"

namespace imageswarm::document {
namespace {

TEST_CASE("a document's name is lower case, an image's may have blanks, a file's may not") {
  CHECK(is_document_name("lxcloud.example-1"));
  for (auto text : {"", "Lxcloud", ".a", "-a", "a b", "a/b", "a_b", "é"}) CHECK_FALSE(is_document_name(text));
  CHECK(is_image_name("Debian 12 (bookworm) a+b_c.d-e"));
  for (auto text : {"", " a", "a/b", "a\nb", "a:b", "é"}) CHECK_FALSE(is_image_name(text));
  CHECK(is_file_name("debian-12_a.qcow2.zst"));
  for (auto text : {"", "..", ".hidden", "a b", "a+b", "a(b)", "a/b"}) CHECK_FALSE(is_file_name(text));
  CHECK(is_file_name(std::string(128, 'a')));
  CHECK_FALSE(is_file_name(std::string(129, 'a')));
}

TEST_CASE("trackers and web seeds have the schemes that a catalogue may name") {
  for (auto url : {"http://t.example.org/announce", "https://t:1/a?b=c", "udp://t.example.org:6969/announce"}) {
    CHECK(tracker({std::string{url}}));
  }
  for (auto url : {"", "t.example.org", "file:///etc/passwd", "ftp://t/", "http://", "http:///a", "http://:80/",
                   "http://user:word@t/", "http://t/a b", "http://t/é", "http://t/\n", "HTTP://t/"}) {
    INFO(url);
    CHECK_FALSE(tracker({std::string{url}}));
  }
  CHECK(web_seed({std::string{"https://images.example.org/images/"}}));
  CHECK_FALSE(web_seed({std::string{"https://images.example.org/images"}}));
  CHECK_FALSE(web_seed({std::string{"udp://images.example.org/"}}));
  CHECK_FALSE(web_seed({yaml::Value::List{}}));
}

TEST_CASE("a torrent's URL is http, https or relative") {
  for (auto url : {"torrents/a.torrent", "../a", "/a", "https://a/b", "?a:b", "torrents/a:b"}) {
    INFO(url);
    CHECK(download_url({std::string{url}}));
  }
  for (auto url : {"file:///etc/passwd", "ftp://a/b", "a:b", "http:a", "a b", "\\\\server\\share", ""}) {
    INFO(url);
    CHECK_FALSE(download_url({std::string{url}}));
  }
}

TEST_CASE("text has no characters that cannot be shown, and only longer text has lines") {
  CHECK(line({std::string{"Ada Endorsér"}}));
  CHECK(text({std::string{"two\nlines"}}));
  for (auto each : {"two\nlines", "\x1B[2J", "a\tb", "\xC2\x85", "\x7F"}) CHECK_FALSE(line({std::string{each}}));
  CHECK_FALSE(text({std::string{"\x1B[2J"}}));
  CHECK_FALSE(line({std::string(256, 'a')}));
  CHECK(text({std::string(65535, 'a')}));
  CHECK_FALSE(text({std::string(65536, 'a')}));
}

TEST_CASE("versions are ordered part by part as numbers") {
  auto const version = [](std::string_view text) { return Version::parse(text).value(); };
  CHECK(version("1.10") > version("1.9"));
  CHECK(version("2") > version("1.99"));
  CHECK(version("1.0") > version("1"));
  CHECK(version("20260102030405") > version("20251231235959"));
  CHECK(version("99999999999999999999999999") > version("99999999999999999999999998"));
  CHECK(version("100000000000000000000") > version("99999999999999999999"));
  CHECK(version("01") == version("1"));
  for (auto text : {"", "a", "1.", ".1", "1..2", "1.a", "-1", "1 ", "v1"}) CHECK_FALSE(Version::parse(text));
}

}  // namespace
}  // namespace imageswarm::document
