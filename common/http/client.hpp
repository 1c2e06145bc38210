#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/units.hpp"

namespace imageswarm::http {

/// How to check the server of an https URL, and who we are to it.
struct Tls {
  bool verify = true;
  std::filesystem::path ca;           ///< PEM file or directory; empty = the system's
  std::filesystem::path certificate;  ///< client certificate; empty = none
  std::filesystem::path key;
};

/// A body that is sent as it is made: fills the span, returns how much; 0 ends it. Runs on the calling thread.
using BodySource = std::function<Result<std::size_t>(std::span<std::byte>)>;
/// Takes a body as it comes. Runs on the calling thread.
using BodySink = std::function<Result<>(std::span<std::byte const>)>;

struct Request {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;                      ///< sent when `source` is empty and the method has one
  BodySource source;                     ///< streamed body
  std::optional<ByteCount> source_size;  ///< becomes Content-Length; absent = chunked
  BodySink sink;                         ///< takes a 2xx body; absent = Response::body
  ByteCount most = 1_MiB;                ///< longest answer body, counted as received; headers: 64 KiB in all
  std::chrono::seconds deadline{60};     ///< for all of it
  std::chrono::seconds connect_timeout{10};
  ByteCount slowest{1000};        ///< bytes per second over 30 s before it counts as too slow; 0 = no limit
  bool follow_redirects = false;  ///< at most 3, same host, never from https to http
  bool expect_continue = false;   ///< ask before a large body (RFC 9110 §10.1.1)
  Tls tls;
  std::filesystem::path unix_socket;  ///< connect there instead of to the URL's host
};

struct Response {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::string body;
  std::string_view header(std::string_view lower_case_name) const;  ///< empty if absent
};

/// One request and its answer, whatever its status. Schemes http and https only; no content encoding, no cookies, no
/// netrc, no proxy but the environment's. Thread-safe; blocks, gives up within a second of `stop`.
/// Faults: http-…, too-large, too-slow, cancelled, and those of `source` and `sink`.
[[nodiscard]] Result<Response> perform(Request const& request, std::stop_token const& stop);

/// "https://user@host:1/a?b" without user information.
std::string without_user(std::string_view url);
/// Without its query too, and not too long, for messages.
std::string shown(std::string_view url);

/// `reference` resolved against `base` (RFC 3986 §5.2); an absolute one stands for itself. Fault: http-scheme when the
/// result is neither http nor https.
[[nodiscard]] Result<std::string> resolve(std::string_view base, std::string_view reference);

}  // namespace imageswarm::http
