// Servers that are slow, endless, confused or send a host elsewhere, asked as a subscription asks.
#include <chrono>

#include "common/http/client.hpp"
#include "daemon/subscription/fetch.hpp"
#include "tests/attacks/attack.hpp"
#include "tests/attacks/hostile_server.hpp"

namespace imageswarm::attacks {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

std::string const good = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

std::string ok(std::string const& headers, std::string const& body) {
  return "HTTP/1.1 200 OK\r\n" + headers + "\r\n" + body;
}

std::string redirect(std::string const& where, int status = 302) {
  return "HTTP/1.1 " + std::to_string(status) + " Go\r\nLocation: " + where + "\r\nContent-Length: 0\r\n\r\n";
}

void endless(Peer const& peer, std::string const& begin, std::string const& piece) {
  auto many = piece;
  while (many.size() < 65536) many += piece;
  if (!peer.send(begin)) return;
  while (peer.send(many)) {
  }
}

struct Row {
  char const* name;
  char const* expected;
  HostileServer::Answer answer;
};

HostileServer::Answer says(std::string answer) {
  return [answer = std::move(answer)](Peer const& peer, std::string const&) { peer.send(answer); };
}

/// Every path but the last redirects to the next one: /0 to /1 and so on.
HostileServer::Answer redirects(int times) {
  return [times](Peer const& peer, std::string const& path) {
    int const at = path == "/catalogue.yaml" ? 0 : std::stoi(path.substr(1));
    peer.send(at < times ? redirect("/" + std::to_string(at + 1)) : good);
  };
}

std::vector<Row> const rows{
    {"a plain answer", "accepted", says(good)},
    {"a chunked answer", "accepted", says(ok("Transfer-Encoding: chunked\r\n", "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"))},
    {"no length, ended by closing", "accepted", says(ok("", "hello"))},
    {"an interim answer before", "accepted", says("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + good)},
    {"HTTP/1.0", "accepted", says("HTTP/1.0 200 OK\r\n\r\nhello")},
    {"an identity encoding", "accepted", says(ok("Content-Encoding: identity\r\nContent-Length: 5\r\n", "hello"))},
    {"one redirect on the same host", "accepted", redirects(1)},
    {"three redirects on the same host", "accepted", redirects(3)},
    {"four redirects on the same host", "http-redirect", redirects(4)},
    {"a redirect to itself", "http-redirect", says(redirect("/catalogue.yaml"))},
    {"a redirect to a file", "http-redirect", says(redirect("file:///etc/passwd"))},
    {"a redirect to gopher", "http-redirect", says(redirect("gopher://127.0.0.1:25/_MAIL"))},
    {"a redirect to ftp", "http-redirect", says(redirect("ftp://127.0.0.1/x"))},
    {"a redirect to dict", "http-redirect", says(redirect("dict://127.0.0.1:11211/stats"))},
    {"a redirect to the metadata service", "http-redirect", says(redirect("http://169.254.169.254/latest/meta-data/"))},
    {"a redirect to the metadata service as a number", "http-redirect", says(redirect("http://2852039166/latest/"))},
    {"a redirect to loopback under another name", "http-redirect", says(redirect("http://localhost/x"))},
    {"a redirect to loopback in IPv6", "http-redirect", says(redirect("http://[::1]/x"))},
    {"a redirect to another loopback address", "http-redirect", says(redirect("http://127.0.0.2/x"))},
    {"a redirect without a scheme to another host", "http-redirect", says(redirect("//evil.example/x"))},
    {"a redirect to a host behind a user's name", "http-redirect", says(redirect("http://127.0.0.1@evil.example/x"))},
    {"a permanent redirect elsewhere", "http-redirect", says(redirect("http://evil.example/x", 308))},
    {"a redirect to no URL", "http-redirect", says(redirect("http://"))},
    {"a redirect to nowhere", "http-status", says("HTTP/1.1 302 Go\r\nContent-Length: 0\r\n\r\n")},
    {"a refresh in a header, which is no redirect", "accepted",
     says(ok("Refresh: 0; url=http://evil.example/\r\nContent-Length: 5\r\n", "hello"))},
    {"404", "http-status", says("HTTP/1.1 404 None\r\nContent-Length: 0\r\n\r\n")},
    {"500", "http-status", says("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")},
    {"204", "http-status", says("HTTP/1.1 204 None\r\n\r\n")},
    {"206 for all of it", "http-status", says("HTTP/1.1 206 Part\r\nContent-Length: 5\r\n\r\nhello")},
    {"304 though nothing was known", "http-status", says("HTTP/1.1 304 Same\r\n\r\n")},
    {"401 that asks for a password", "http-status",
     says("HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n")},
    {"gzip that nobody asked for", "http-protocol",
     says(ok("Content-Encoding: gzip\r\nContent-Length: 5\r\n", "hello"))},
    {"brotli that nobody asked for", "http-protocol",
     says(ok("Content-Encoding: br\r\nContent-Length: 5\r\n", "hello"))},
    {"two encodings", "http-protocol", says(ok("Content-Encoding: gzip, gzip\r\nContent-Length: 5\r\n", "hello"))},
    {"a length over the limit", "too-large",
     [](Peer const& peer, std::string const&) { endless(peer, ok("Content-Length: 99999999999\r\n", ""), "x"); }},
    {"a length that is too long by one", "http-connect", says(ok("Content-Length: 6\r\n", "hello"))},
    {"a negative length", "http-protocol", says(ok("Content-Length: -1\r\n", "hello"))},
    {"a length of 2^64 + 5, which is none", "accepted", says(ok("Content-Length: 18446744073709551621\r\n", "hello"))},
    {"no answer at all", "http-connect", says("")},
    {"an answer that is not HTTP", "http-protocol", says("SSH-2.0-OpenSSH_9.2\r\n")},
    {"an answer of HTTP/0.9", "http-protocol", says("<html>hello</html>")},
    {"an answer of HTTP/3 in letters", "http-protocol", says("HTTP/9.9 200 OK\r\n\r\nhello")},
    {"a status that is none", "http-protocol", says("HTTP/1.1 abc OK\r\n\r\nhello")},
    {"a header cut off, which leaves no document", "accepted", says("HTTP/1.1 200 OK\r\nContent-Le")},
    {"a chunk without a size", "http-connect", says(ok("Transfer-Encoding: chunked\r\n", "x\r\nhello\r\n"))},
    {"a chunk of 2^64 bytes", "http-connect",
     says(ok("Transfer-Encoding: chunked\r\n", "10000000000000000\r\nhello\r\n0\r\n\r\n"))},
    {"chunks without an end", "http-connect", says(ok("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"))},
    {"a transfer encoding that there is not", "http-protocol", says(ok("Transfer-Encoding: rot13\r\n", "hello"))},
    {"a body without end", "too-large", [](Peer const& peer, std::string const&) { endless(peer, ok("", ""), "x"); }},
    {"chunks of one byte without end", "too-large",
     [](Peer const& peer, std::string const&) {
       endless(peer, ok("Transfer-Encoding: chunked\r\n", ""), "1\r\nx\r\n");
     }},
    {"headers without end", "too-large",
     [](Peer const& peer, std::string const&) { endless(peer, "HTTP/1.1 200 OK\r\n", "X-A: b\r\n"); }},
    {"one header without end", "too-large",
     [](Peer const& peer, std::string const&) { endless(peer, "HTTP/1.1 200 OK\r\nX-A: ", "b"); }},
    {"interim answers without end", "too-large",
     [](Peer const& peer, std::string const&) { endless(peer, "", "HTTP/1.1 100 Continue\r\n\r\n"); }},
    {"trailers without end", "too-large",
     [](Peer const& peer, std::string const&) {
       endless(peer, ok("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n"), "X-A: b\r\n");
     }},
    {"a byte a second", "too-slow",
     [](Peer const& peer, std::string const&) {
       for (peer.send(ok("Content-Length: 1000000\r\n", "")); peer.wait(1s) && peer.send("x");) {
       }
     }},
    {"a header's byte a second", "too-slow",
     [](Peer const& peer, std::string const&) {
       for (peer.send("HTTP/1.1 200 OK\r\nX: "); peer.wait(1s) && peer.send("x");) {
       }
     }},
    {"silence", "too-slow", [](Peer const& peer, std::string const&) { peer.wait(100s); }},
};

std::string fetched(HostileServer::Answer const& answer) {
  HostileServer const server{answer};
  return outcome_of(subscription::fetch_document(server.url(), {}, {}));
}

struct UrlRow {
  char const* url;
  char const* expected;
};

constexpr UrlRow urls[] = {
    {"ftp://127.0.0.1/x", "http-scheme"},
    {"gopher://127.0.0.1/x", "http-scheme"},
    {"javascript:alert(1)", "http-scheme"},
    {"ldap://127.0.0.1/x", "http-scheme"},
    {"HTTP+UNIX://x/y", "http-scheme"},
    {"http://", "http-scheme"},
    {"catalogue.yaml", "http-scheme"},
    {"", "http-scheme"},
    {"http://127.0.0.1:99999/x", "http-scheme"},
    {"http://127.0.0.1:1/x", "http-connect"},
    {"http://no-such-host.invalid/x", "http-resolve"},
};

/// A torrent that a signed entry names by this URL, beside a catalogue from this place.
std::string torrent_by(std::string catalogue, std::string url) {
  flow::Want want;
  want.provenance.catalogue_url = std::move(catalogue);
  want.torrent_url = std::move(url);
  want.image.torrent.file_size = {100};
  return outcome_of(subscription::fetch_torrent(want, {}));
}

}  // namespace

Table http_answers() {
  Table table;
  auto const add = [&](std::string name, char const* expected, std::function<std::string()> outcome) {
    table.push_back({"http", std::move(name), expected, std::move(outcome)});
  };
  for (auto const& row : rows) {
    add(row.name, row.expected, [&row] { return fetched(row.answer); });
  }
  for (auto const& row : urls) {
    add("the URL '"s + row.url + "'", row.expected,
        [&row] { return outcome_of(subscription::fetch_document(row.url, {}, {})); });
  }
  for (auto const* url : {"file:///etc/passwd", "/etc/passwd", "../etc/passwd", "a/../../etc/passwd", "a//b"}) {
    add("a local catalogue, the torrent at "s + url, "http-scheme",
        [url] { return torrent_by("/srv/catalogue.yaml", url); });
  }
  add("a catalogue from the web, the torrent in a file", "http-scheme",
      [] { return torrent_by("https://x.example/catalogue.yaml", "file:///etc/passwd"); });
  add("a torrent longer than was signed", "too-large", [] {
    HostileServer const server{says(ok("Content-Length: 101\r\n", std::string(101, 'x')))};
    return torrent_by(server.url(), "x.torrent");
  });
  return table;
}

}  // namespace imageswarm::attacks
