#include "common/http/server.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <chrono>
#include <list>
#include <optional>
#include <utility>

#include "common/base/file.hpp"
#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "common/base/units.hpp"

namespace imageswarm::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Protocol = asio::generic::stream_protocol;
using ErrorCode = boost::system::error_code;

constexpr std::size_t max_connections = 64;
constexpr std::chrono::seconds idle_limit{30};
constexpr std::chrono::seconds farewell{2};
constexpr std::uint32_t max_header = 16 * 1024;
constexpr std::uint64_t max_body = (1_MiB).value;

class Session;

/// What the sessions of a server share; all of it belongs to the loop thread.
struct Shared {
  Server::Handler handler;
  std::list<Session*> sessions;  ///< the one that has waited longest for its client comes first
};

/// One connection: requests are answered one after the other.
class Session : public std::enable_shared_from_this<Session> {
public:
  Session(Protocol::socket socket, std::shared_ptr<Shared> shared)
      : stream_{std::move(socket)}, shared_{std::move(shared)} {
    shared_->sessions.push_back(this);
  }
  Session(Session const&) = delete;
  Session& operator=(Session const&) = delete;
  ~Session() { shared_->sessions.remove(this); }

  void read() {
    parser_.emplace();
    parser_->header_limit(max_header);
    parser_->body_limit(max_body);
    wait_for_client(idle_limit);
    beast::http::async_read(stream_, buffer_, *parser_,
                            [self = shared_from_this()](ErrorCode error, std::size_t) { self->on_read(error); });
  }

  void close() { stream_.close(); }

private:
  void wait_for_client(std::chrono::seconds most) {
    stream_.expires_after(most);
    auto& sessions = shared_->sessions;
    sessions.splice(sessions.end(), sessions, std::ranges::find(sessions, this));
  }

  void on_read(ErrorCode error) {
    if (!shared_->handler) return;
    if (error == beast::http::error::body_limit) return refuse(beast::http::status::payload_too_large);
    if (error == beast::http::error::header_limit) {
      return refuse(beast::http::status::request_header_fields_too_large);
    }
    if (error == beast::http::error::end_of_stream || error == beast::error::timeout) return close();
    if (error.category() == beast::http::make_error_code(beast::http::error::bad_method).category()) {
      return refuse(beast::http::status::bad_request);
    }
    if (error) return close();
    auto& request = parser_->get();
    auto const keep_alive = request.keep_alive();
    auto const head = request.method() == beast::http::verb::head;
    auto answer = shared_->handler(
        {std::string{request.method_string()}, std::string{request.target()}, std::move(request.body())});
    write(std::move(answer), keep_alive, head);
  }

  void refuse(beast::http::status status) {
    auto const reason = std::string{beast::http::obsolete_reason(status)};
    write({static_cast<int>(status), "text/plain", reason + "\n"}, false, false);
  }

  void write(ServerResponse answer, bool keep_alive, bool head) {
    response_ = {};
    response_.version(11);
    response_.result(static_cast<unsigned>(answer.status));
    response_.set(beast::http::field::content_type, answer.content_type);
    response_.keep_alive(keep_alive);
    response_.content_length(answer.body.size());
    if (!head) response_.body() = std::move(answer.body);
    wait_for_client(idle_limit);
    beast::http::async_write(stream_, response_, [self = shared_from_this(), keep_alive](ErrorCode error, std::size_t) {
      if (error) return self->close();
      if (keep_alive) return self->read();
      self->wait_for_client(farewell);
      self->say_farewell();
    });
  }

  /// Reads what is still on its way before closing, as an unread byte would make the kernel drop our answer.
  void say_farewell() {
    ErrorCode ignored;
    stream_.socket().shutdown(Protocol::socket::shutdown_send, ignored);
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(16 * 1024), [self = shared_from_this()](ErrorCode error, std::size_t) {
      if (error) return self->close();
      self->say_farewell();
    });
  }

  beast::basic_stream<Protocol> stream_;
  std::shared_ptr<Shared> shared_;
  beast::flat_buffer buffer_;
  std::optional<beast::http::request_parser<beast::http::string_body>> parser_;
  beast::http::response<beast::http::string_body> response_;
};

/// Removes a socket that nobody listens on. Fault exists: somebody does, or it is no socket.
Result<> make_room_for_socket(asio::io_context& loop, std::filesystem::path const& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return {};
    return fail(errno_error(errno, "looking for", path));
  }
  if (!S_ISSOCK(found.st_mode)) return fail(Fault::exists, "{}: is there and no socket", printable(path.native()));
  ErrorCode error;
  asio::local::stream_protocol::socket{loop}.connect({path.native()}, error);
  if (error != asio::error::connection_refused) {
    return fail(Fault::exists, "{}: another process answers there; is the daemon running already?",
                printable(path.native()));
  }
  if (::unlink(path.c_str()) != 0) return fail(errno_error(errno, "removing the dead socket", path));
  return {};
}

/// "127.0.0.1:9464" or "[::1]:9464".
Result<asio::ip::tcp::endpoint> parse_endpoint(std::string_view address) {
  auto const wrong = [&] {
    return fail(Fault::config_value, "'{}' is not an address to listen on; write 127.0.0.1:9464 or [::1]:9464",
                printable(address));
  };
  auto const colon = address.rfind(':');
  if (colon == std::string_view::npos) return wrong();
  auto const port = parse_number(address.substr(colon + 1), 0, UINT16_MAX);
  auto host = address.substr(0, colon);
  if (host.starts_with('[') != host.ends_with(']')) return wrong();
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  ErrorCode error;
  auto const parsed = asio::ip::make_address(std::string{host}, error);
  if (!port || error) return wrong();
  return asio::ip::tcp::endpoint{parsed, static_cast<std::uint16_t>(*port)};
}

}  // namespace

struct Server::Impl : std::enable_shared_from_this<Server::Impl> {
  explicit Impl(asio::io_context& loop, Handler handler)
      : acceptor{loop}, pause{loop}, shared{std::make_shared<Shared>(Shared{std::move(handler), {}})} {}

  ErrorCode open(Protocol::endpoint const& endpoint, int family, int protocol) {
    ErrorCode error;
    acceptor.open(Protocol{family, protocol}, error);
    if (!error && family != AF_UNIX) acceptor.set_option(asio::socket_base::reuse_address{true}, error);
    if (!error) acceptor.bind(endpoint, error);
    return error;
  }

  ErrorCode listen() {
    ErrorCode error;
    acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) return error;
    accept();
    return error;
  }

  /// A newcomer takes the place of whoever has waited longest: idle connections cannot shut others out.
  void accept() {
    acceptor.async_accept([weak = weak_from_this()](ErrorCode error, Protocol::socket socket) {
      auto const self = weak.lock();
      if (!self) return;
      auto& sessions = self->shared->sessions;
      if (!error && sessions.size() >= max_connections) sessions.front()->close();
      if (!error) std::make_shared<Session>(std::move(socket), self->shared)->read();
      if (!error || error == asio::error::connection_aborted) return self->accept();
      if (error == asio::error::operation_aborted) return;
      // Out of descriptors, perhaps.
      log_warning("cannot accept a connection: {}, retrying in 1 s", error.message());
      self->accept_later();
    });
  }

  void accept_later() {
    pause.expires_after(std::chrono::seconds{1});
    pause.async_wait([weak = weak_from_this()](ErrorCode error) {
      auto const self = weak.lock();
      if (self && !error) self->accept();
    });
  }

  void close() {
    shared->handler = nullptr;
    ErrorCode ignored;
    acceptor.close(ignored);
    pause.cancel();
    for (auto* session : shared->sessions) session->close();
    if (!path.empty()) ::unlink(path.c_str());
  }

  asio::basic_socket_acceptor<Protocol> acceptor;
  asio::steady_timer pause;  ///< after an accept that failed
  std::shared_ptr<Shared> shared;
  std::filesystem::path path;  ///< of a Unix socket
  std::uint16_t port = 0;
};

Result<Server> Server::on_unix_socket(asio::io_context& loop, std::filesystem::path const& path, std::uint32_t mode,
                                      Handler handler) {
  if (path.native().size() >= sizeof(sockaddr_un::sun_path)) {
    return fail(Fault::config_value, "{}: too long for the path of a socket, 107 bytes at most",
                printable(path.native()));
  }
  if (auto const room = make_room_for_socket(loop, path); !room) return fail(room.error());
  auto impl = std::make_shared<Impl>(loop, std::move(handler));
  if (auto const error = impl->open(asio::local::stream_protocol::endpoint{path.native()}, AF_UNIX, 0)) {
    return fail(errno_error(error.value(), "making the socket", path));
  }
  impl->path = path;
  // Before it listens nobody can connect, so it is never open wider than it shall be.
  if (::chmod(path.c_str(), static_cast<mode_t>(mode)) != 0) {
    auto const number = errno;
    impl->close();
    return fail(errno_error(number, "setting the mode of", path));
  }
  if (auto const error = impl->listen()) {
    impl->close();
    return fail(errno_error(error.value(), "listening on", path));
  }
  return Server{std::move(impl)};
}

Result<Server> Server::on_tcp(asio::io_context& loop, std::string_view address, Handler handler) {
  auto const endpoint = parse_endpoint(address);
  if (!endpoint) return fail(endpoint.error());
  auto impl = std::make_shared<Impl>(loop, std::move(handler));
  auto error = impl->open(*endpoint, endpoint->protocol().family(), IPPROTO_TCP);
  if (!error) error = impl->listen();
  asio::ip::tcp::endpoint bound;
  if (!error) {
    auto const local = impl->acceptor.local_endpoint(error);
    bound.resize(local.size());
    std::copy_n(reinterpret_cast<std::byte const*>(local.data()), local.size(),
                reinterpret_cast<std::byte*>(bound.data()));
  }
  if (error) {
    impl->close();
    return fail(Fault::http_connect, "{}: cannot listen: {}; is another program using the port?", printable(address),
                error.message());
  }
  impl->port = bound.port();
  return Server{std::move(impl)};
}

Server::Server(std::shared_ptr<Impl> impl) : impl_{std::move(impl)} {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&& other) noexcept {
  if (this != &other) {
    if (impl_) impl_->close();
    impl_ = std::move(other.impl_);
  }
  return *this;
}
Server::~Server() {
  if (impl_) impl_->close();
}

std::uint16_t Server::port() const {
  return impl_->port;
}

}  // namespace imageswarm::http
