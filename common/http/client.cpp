#include "common/http/client.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <memory>

#include "common/base/text.hpp"
#include "common/http/url.hpp"

namespace imageswarm::http {
namespace {

constexpr ByteCount max_headers = 64_KiB;
constexpr int max_redirects = 3;
constexpr std::chrono::seconds slow_period{30};

struct EasyDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;

struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListDeleter>;

/// One exchange while curl works on it: what its callbacks see.
struct Exchange {
  Request const& request;
  std::stop_token const& stop;
  CURL* handle;
  Exchange(Request const& what, std::stop_token const& until, CURL* with) : request{what}, stop{until}, handle{with} {}

  Response response;
  std::optional<Error> error;  ///< why a callback ended it
  ByteCount header_bytes, received, sent;
  bool in_body = false;

  std::string url() const { return shown(request.url); }

  long status() const {
    long code = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &code);
    return code;
  }

  Result<> take_header(std::string_view line) {
    header_bytes += {line.size()};
    if (header_bytes > max_headers) {
      return fail(Fault::too_large, "{}: more than {} of headers", url(), human(max_headers));
    }
    if (line.starts_with("HTTP/")) {  // what came before was an interim answer, 100
      response.headers.clear();
      return {};
    }
    auto const colon = line.find(':');
    if (in_body || colon == std::string_view::npos) return {};
    auto name = lower_case(trimmed(line.substr(0, colon)));
    std::string value{trimmed(line.substr(colon + 1))};
    if (name == "content-encoding" && lower_case(value) != "identity") {
      return fail(Fault::http_protocol, "{}: the body comes with the content encoding '{}', which was not asked for",
                  url(), printable(value));
    }
    response.headers.emplace_back(std::move(name), std::move(value));
    return {};
  }

  Result<> take_body(std::span<std::byte const> data) {
    in_body = true;
    received += {data.size()};
    if (received > request.most) {
      return fail(Fault::too_large, "{}: the answer is longer than {}", url(), human(request.most));
    }
    auto const code = status();
    if (request.sink && code >= 200 && code < 300) return request.sink(data);
    response.body.append(reinterpret_cast<char const*>(data.data()), data.size());
    return {};
  }

  Result<std::size_t> give_body(std::span<std::byte> room) {
    if (stop.stop_requested()) return fail(Fault::cancelled, "{}: stopped", url());
    auto const count = request.source(room);
    if (!count) return count;
    sent += {*count};
    // To end here would leave the server waiting for the rest, so the connection is cut instead.
    if (*count == 0 && request.source_size && sent < *request.source_size) {
      return fail(Fault::internal, "{}: the body ended after {} of {} bytes", url(), sent.value,
                  request.source_size->value);
    }
    return count;
  }
};

std::size_t on_header(char* data, std::size_t, std::size_t size, void* exchange) {
  auto& self = *static_cast<Exchange*>(exchange);
  auto const taken = self.take_header({data, size});
  if (taken) return size;
  self.error = taken.error();
  return 0;
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* exchange) {
  auto& self = *static_cast<Exchange*>(exchange);
  auto const taken = self.take_body(std::as_bytes(std::span{data, size}));
  if (taken) return size;
  self.error = taken.error();
  return CURL_WRITEFUNC_ERROR;
}

std::size_t on_source(char* room, std::size_t, std::size_t size, void* exchange) {
  auto& self = *static_cast<Exchange*>(exchange);
  auto const given = self.give_body(std::as_writable_bytes(std::span{room, size}));
  if (given) return *given;
  self.error = given.error();
  return CURL_READFUNC_ABORT;
}

int on_progress(void* exchange, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(exchange)->stop.stop_requested() ? 1 : 0;
}

template <class Value>
void set(CURL* handle, CURLoption option, Value value) {
  curl_easy_setopt(handle, option, value);
}

void set_tls(CURL* handle, Tls const& tls) {
  set(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(handle, CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L);
  set(handle, CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L);
  if (!tls.ca.empty()) {  // these and not the system's
    std::error_code ignored;
    auto const directory = std::filesystem::is_directory(tls.ca, ignored);
    set(handle, CURLOPT_CAINFO, directory ? nullptr : tls.ca.c_str());
    set(handle, CURLOPT_CAPATH, directory ? tls.ca.c_str() : nullptr);
  }
  if (!tls.certificate.empty()) set(handle, CURLOPT_SSLCERT, tls.certificate.c_str());
  if (!tls.key.empty()) set(handle, CURLOPT_SSLKEY, tls.key.c_str());
}

void set_body(CURL* handle, Request const& request) {
  if (request.source) {
    set(handle, CURLOPT_UPLOAD, 1L);
    set(handle, CURLOPT_READFUNCTION, on_source);
    set(handle, CURLOPT_UPLOAD_BUFFERSIZE, 512L * 1024);  // Glance takes twice the time for small writes
    if (request.source_size) {
      set(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.source_size->value));
    }
  } else if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    set(handle, CURLOPT_POSTFIELDS, request.body.data());
    set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  } else if (request.method == "HEAD") {
    set(handle, CURLOPT_NOBODY, 1L);
  }
  set(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

/// Fault http-protocol: a header that would break the line.
Result<HeaderList> header_list(Request const& request) {
  std::vector<std::string> lines{request.expect_continue ? "Expect: 100-continue" : "Expect:"};
  if (request.source && !request.source_size) lines.emplace_back("Transfer-Encoding: chunked");
  auto const has_type = std::any_of(request.headers.begin(), request.headers.end(),
                                    [](auto const& header) { return lower_case(header.first) == "content-type"; });
  if (!has_type) lines.emplace_back("Content-Type:");  // curl would call it a form
  for (auto const& [name, value] : request.headers) {
    if (value.find_first_of({"\r\n\0", 3}) != std::string::npos) {
      return fail(Fault::http_protocol, "{}: the header {} to be sent has a line break", shown(request.url), name);
    }
    lines.push_back(value.empty() ? name + ";" : name + ": " + value);
  }
  HeaderList list;
  for (auto const& line : lines) list.reset(curl_slist_append(list.release(), line.c_str()));
  return list;
}

void set_limits(CURL* handle, Request const& request) {
  auto const milliseconds = [](std::chrono::seconds span) { return static_cast<long>(span.count() * 1000); };
  set(handle, CURLOPT_TIMEOUT_MS, milliseconds(request.deadline));
  set(handle, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request.connect_timeout));
  if (request.slowest.value > 0) {
    set(handle, CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(request.slowest.value));
    set(handle, CURLOPT_LOW_SPEED_TIME, static_cast<long>(slow_period.count()));
  }
}

void set_callbacks(CURL* handle, Exchange& exchange) {
  set(handle, CURLOPT_HEADERFUNCTION, on_header);
  set(handle, CURLOPT_HEADERDATA, &exchange);
  set(handle, CURLOPT_WRITEFUNCTION, on_body);
  set(handle, CURLOPT_WRITEDATA, &exchange);
  set(handle, CURLOPT_READDATA, &exchange);
  set(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
  set(handle, CURLOPT_XFERINFODATA, &exchange);
  set(handle, CURLOPT_NOPROGRESS, 0L);
}

void set_connection(CURL* handle, Request const& request) {
  set(handle, CURLOPT_NOSIGNAL, 1L);
  set(handle, CURLOPT_QUICK_EXIT, 1L);  // do not wait for a resolver that hangs
  set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  set(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(handle, CURLOPT_USERAGENT, "imageswarm/" IMAGESWARM_VERSION);
  set(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(handle, CURLOPT_URL, request.url.c_str());
  if (!request.unix_socket.empty()) {
    set(handle, CURLOPT_UNIX_SOCKET_PATH, request.unix_socket.c_str());
    set(handle, CURLOPT_PROXY, "");
  }
}

std::chrono::microseconds time_of(CURL* handle, CURLINFO which) {
  curl_off_t time = 0;
  curl_easy_getinfo(handle, which, &time);
  return std::chrono::microseconds{time};
}

Error timeout_error(Exchange const& exchange) {
  auto const& request = exchange.request;
  if (time_of(exchange.handle, CURLINFO_PRETRANSFER_TIME_T).count() == 0) {
    return {Fault::http_timeout, fmt::format("{}: no connection within {}; check the address and the firewall",
                                             exchange.url(), human(request.connect_timeout))};
  }
  if (time_of(exchange.handle, CURLINFO_TOTAL_TIME_T) + std::chrono::milliseconds{500} < request.deadline) {
    return {Fault::too_slow, fmt::format("{}: less than {} a second for {}; another try may find a better time",
                                         exchange.url(), human(request.slowest), human(slow_period))};
  }
  return {Fault::http_timeout, fmt::format("{}: not done within {}", exchange.url(), human(request.deadline))};
}

Error connect_error(Exchange const& exchange, std::string_view curl_says) {
  long number = 0;
  curl_easy_getinfo(exchange.handle, CURLINFO_OS_ERRNO, &number);
  auto const reason = number != 0 ? std::string{std::strerror(static_cast<int>(number))} : printable(curl_says);
  return {Fault::http_connect,
          fmt::format("{}: cannot connect: {}; check that the service runs there", exchange.url(), reason)};
}

Error error_of(CURLcode code, std::string_view curl_says, Exchange const& exchange) {
  if (exchange.stop.stop_requested()) return {Fault::cancelled, exchange.url() + ": stopped"};
  if (exchange.error) return *exchange.error;
  auto const reason = printable(curl_says.empty() ? curl_easy_strerror(code) : curl_says);
  auto const with = [&](Fault fault, std::string_view doing) {
    return Error{fault, fmt::format("{}: {}: {}", exchange.url(), doing, reason)};
  };
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return with(Fault::http_resolve, "no address for this host; check the name and the resolver");
    case CURLE_COULDNT_CONNECT:
      return connect_error(exchange, curl_says);
    case CURLE_OPERATION_TIMEDOUT:
      return timeout_error(exchange);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_USE_SSL_FAILED:
      return with(Fault::http_tls, "TLS; check the CA file and the server's certificate");
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
      return with(Fault::http_connect, "the connection broke");
    case CURLE_OUT_OF_MEMORY:  // what curl also says of a line of more than 100 KB
      return exchange.in_body ? with(Fault::internal, "curl") : with(Fault::too_large, "a header without end");
    default:
      return with(Fault::http_protocol, "not an answer we understand");
  }
}

Result<Response> exchange_once(Request const& request, std::stop_token const& stop) {
  if (auto const origin = origin_of(request.url); !origin) return fail(origin.error());
  static auto const initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  Easy const handle{initialised == CURLE_OK ? curl_easy_init() : nullptr};
  if (!handle) return fail(Fault::internal, "{}: curl does not start", shown(request.url));
  auto const headers = header_list(request);
  if (!headers) return fail(headers.error());

  Exchange exchange{request, stop, handle.get()};
  std::array<char, CURL_ERROR_SIZE> curl_says{};
  set(handle.get(), CURLOPT_ERRORBUFFER, curl_says.data());
  set(handle.get(), CURLOPT_HTTPHEADER, headers->get());
  set_connection(handle.get(), request);
  set_tls(handle.get(), request.tls);
  set_limits(handle.get(), request);
  set_body(handle.get(), request);
  set_callbacks(handle.get(), exchange);

  auto const code = curl_easy_perform(handle.get());
  auto const status = exchange.status();
  // A server that refuses an upload may answer and hang up while we still send: its answer counts, not the broken pipe.
  auto const answered = status >= 400 && (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR);
  if (code != CURLE_OK && !answered) return fail(error_of(code, curl_says.data(), exchange));
  exchange.response.status = static_cast<int>(status);
  return std::move(exchange.response);
}

bool is_redirect(Response const& response) {
  constexpr std::array redirects{301, 302, 303, 307, 308};
  return std::find(redirects.begin(), redirects.end(), response.status) != redirects.end() &&
         !response.header("location").empty();
}

/// Where a redirect leads, if the rules allow it. Fault: http-redirect.
Result<std::string> next_url(std::string_view from, Response const& response) {
  auto next = resolve(from, response.header("location"));
  if (!next) return fail(Fault::http_redirect, "{}: redirected to what is no http or https URL", shown(from));
  auto const before = origin_of(from), after = origin_of(*next);
  if (!before || !after) return fail(Fault::http_redirect, "{}: redirected to what is no URL", shown(from));
  if (before->host != after->host) {
    return fail(Fault::http_redirect, "{}: redirected to another host, {}; configure that URL if it is right",
                shown(from), shown(*next));
  }
  if (before->scheme == "https" && after->scheme == "http") {
    return fail(Fault::http_redirect, "{}: redirected from https to http", shown(from));
  }
  return next;
}

}  // namespace

std::string_view Response::header(std::string_view lower_case_name) const {
  auto const found =
      std::find_if(headers.begin(), headers.end(), [&](auto const& header) { return header.first == lower_case_name; });
  return found == headers.end() ? std::string_view{} : found->second;
}

Result<Response> perform(Request const& request, std::stop_token const& stop) {
  auto const started = std::chrono::steady_clock::now();
  auto const follow = request.follow_redirects && (request.method == "GET" || request.method == "HEAD");
  auto current = request;
  for (int redirects = 0;; ++redirects) {
    auto response = exchange_once(current, stop);
    if (!response || !follow || !is_redirect(*response)) return response;
    if (redirects == max_redirects) {
      return fail(Fault::http_redirect, "{}: more than {} redirects", shown(request.url), max_redirects);
    }
    auto next = next_url(current.url, *response);
    if (!next) return fail(next.error());
    current.url = std::move(*next);
    auto const spent = std::chrono::steady_clock::now() - started;
    current.deadline = std::chrono::ceil<std::chrono::seconds>(request.deadline - spent);
    if (current.deadline <= std::chrono::seconds::zero()) {
      return fail(Fault::http_timeout, "{}: not done within {}", shown(request.url), human(request.deadline));
    }
  }
}

}  // namespace imageswarm::http
