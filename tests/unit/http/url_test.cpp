#include <catch2/catch.hpp>

#include "common/http/client.hpp"

namespace imageswarm::http {
namespace {

TEST_CASE("a URL in a message has no user, password, query or fragment") {
  CHECK(shown("https://user:secret@host.example:8443/a/b?token=x#y") == "https://host.example:8443/a/b");
  CHECK(shown("https://a@b:secret@host/") == "https://host/");
  CHECK(shown("http://host?token=x") == "http://host");
  CHECK(shown("/a@b/c") == "/a@b/c");
  CHECK(shown("http://host/a\nb") == "http://host/a\\x0ab");
}

TEST_CASE("a URL without its user is otherwise the same") {
  CHECK(without_user("https://user:secret@host.example:8443/a@b?token=x#y") ==
        "https://host.example:8443/a@b?token=x#y");
  CHECK(without_user("http://host?user@x") == "http://host?user@x");
}

TEST_CASE("a reference is resolved against its base") {
  auto const in = [](std::string_view reference) { return resolve("http://a.example/b/c/d?q", reference).value(); };
  CHECK(in("g.torrent") == "http://a.example/b/c/g.torrent");
  CHECK(in("./g") == "http://a.example/b/c/g");
  CHECK(in("../g") == "http://a.example/b/g");
  CHECK(in("../../../g") == "http://a.example/g");
  CHECK(in("/g") == "http://a.example/g");
  CHECK(in("//g.example/x") == "http://g.example/x");
  CHECK(in("https://g.example/x?y") == "https://g.example/x?y");
  CHECK(in("?y") == "http://a.example/b/c/d?y");
}

TEST_CASE("only http and https come out of resolving") {
  for (auto const* reference : {"file:///etc/passwd", "ftp://a.example/x", "gopher://a.example", "javascript:x"}) {
    auto const resolved = resolve("http://a.example/b", reference);
    INFO(reference << " gives " << resolved.value_or(""));
    CHECK((!resolved ? word(resolved.error().fault) : "") == "http-scheme");
  }
  CHECK(resolve("file:///srv/catalogue.yaml", "torrents/a").error().fault == Fault::http_scheme);
  CHECK(resolve("", "a").error().fault == Fault::http_scheme);
}

}  // namespace
}  // namespace imageswarm::http
