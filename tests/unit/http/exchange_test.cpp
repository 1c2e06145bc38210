// The client against the server, both ours, over loopback and Unix sockets.

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "common/base/text.hpp"
#include "common/http/client.hpp"
#include "common/http/server.hpp"

namespace imageswarm::http {
namespace {

namespace asio = boost::asio;

/// A loop on its own thread with one of our servers on it.
class Running {
public:
  explicit Running(Server::Handler handler) {
    auto made = Server::on_tcp(loop_, "127.0.0.1:0", std::move(handler));
    REQUIRE(made);
    server_ = std::make_unique<Server>(std::move(*made));
    thread_ = std::thread{[this] { loop_.run(); }};
  }
  Running(std::filesystem::path const& path, std::uint32_t mode, Server::Handler handler) {
    auto made = Server::on_unix_socket(loop_, path, mode, std::move(handler));
    REQUIRE(made);
    server_ = std::make_unique<Server>(std::move(*made));
    thread_ = std::thread{[this] { loop_.run(); }};
  }
  ~Running() {
    asio::post(loop_, [this] { server_.reset(); });
    guard_.reset();
    thread_.join();
  }
  std::string url(std::string_view path) const { return fmt::format("http://127.0.0.1:{}{}", server_->port(), path); }

private:
  asio::io_context loop_;
  asio::executor_work_guard<asio::io_context::executor_type> guard_ = asio::make_work_guard(loop_);
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

/// A server that answers one connection with fixed bytes as soon as the request's head is there, for what an honest
/// one would not say. It reads nothing more.
class Raw {
public:
  explicit Raw(std::string answer)
      : thread_{[this, answer = std::move(answer)] {
          boost::system::error_code error;
          asio::ip::tcp::socket socket{loop_};
          acceptor_.accept(socket, error);
          if (error) return;
          asio::streambuf head;
          asio::read_until(socket, head, "\r\n\r\n", error);
          head_ = {asio::buffers_begin(head.data()), asio::buffers_end(head.data())};
          asio::write(socket, asio::buffer(answer), error);
        }} {}
  ~Raw() {
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    thread_.join();
  }
  /// What it was asked; once it has answered.
  std::string const& head() const { return head_; }
  std::string url() const { return fmt::format("http://127.0.0.1:{}/x", acceptor_.local_endpoint().port()); }

private:
  asio::io_context loop_;
  asio::ip::tcp::acceptor acceptor_{loop_, {asio::ip::address_v4::loopback(), 0}};
  std::string head_;
  std::thread thread_;
};

struct TemporaryDirectory {
  TemporaryDirectory() {
    std::string name = std::filesystem::temp_directory_path() / "imageswarm-http-XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

ServerResponse echo(ServerRequest const& request) {
  return {200, "text/plain", fmt::format("{} {} {}", request.method, request.target, request.body)};
}

Request get(std::string url) {
  Request request;
  request.url = std::move(url);
  return request;
}

TEST_CASE("a request is answered with status, headers and body") {
  Running const server{echo};
  auto request = get(server.url("/a?b=c"));
  request.method = "PATCH";
  request.body = "hello";
  auto const response = perform(request, {});
  REQUIRE(response);
  CHECK(response->status == 200);
  CHECK(response->body == "PATCH /a?b=c hello");
  CHECK(response->header("content-type") == "text/plain");
  CHECK(response->header("no-such").empty());
}

TEST_CASE("a request says what was asked for and nothing more") {
  Raw const server{"HTTP/1.1 204 No Content\r\n\r\n"};
  auto request = get(server.url());
  request.method = "POST";
  request.headers = {{"X-Auth-Token", "abc"}};
  REQUIRE(perform(request, {}).value().status == 204);
  auto const head = lower_case(server.head());
  CHECK_THAT(head, Catch::StartsWith("post /x http/1.1\r\n"));
  CHECK_THAT(head, Catch::Contains("x-auth-token: abc\r\n") && Catch::Contains("content-length: 0\r\n"));
  CHECK_THAT(head, !Catch::Contains("expect") && !Catch::Contains("encoding") && !Catch::Contains("content-type"));
}

TEST_CASE("a body that is made on the way arrives whole, with a length or in chunks") {
  Running const server{[](ServerRequest const& request) {
    return ServerResponse{200, "text/plain", std::to_string(request.body.size())};
  }};
  for (bool const known : {true, false}) {
    std::size_t left = 700'000;
    auto request = get(server.url("/"));
    request.method = "PUT";
    request.source = [&](std::span<std::byte> room) -> Result<std::size_t> {
      auto const now = std::min(left, room.size());
      left -= now;
      return now;
    };
    if (known) request.source_size = ByteCount{left};
    CHECK(perform(request, {}).value().body == "700000");
  }
}

TEST_CASE("what goes wrong in the source ends the request and is passed on") {
  Running const server{echo};
  auto request = get(server.url("/"));
  request.method = "PUT";
  request.source_size = ByteCount{100};
  request.source = [](std::span<std::byte>) -> Result<std::size_t> { return fail(Fault::hash_mismatch, "no"); };
  CHECK(perform(request, {}).error().fault == Fault::hash_mismatch);
  request.source = [](std::span<std::byte>) -> Result<std::size_t> { return 0; };
  CHECK(perform(request, {}).error().fault == Fault::internal);
}

TEST_CASE("what goes wrong in the sink ends the request and is passed on") {
  Running const server{echo};
  auto request = get(server.url("/"));
  request.sink = [](std::span<std::byte const>) -> Result<> { return fail(Fault::disk_full, "no"); };
  CHECK(perform(request, {}).error().fault == Fault::disk_full);
}

TEST_CASE("the body of an error does not reach the sink") {
  Running const server{[](ServerRequest const&) { return ServerResponse{404, "text/plain", "none"}; }};
  auto request = get(server.url("/"));
  request.sink = [](std::span<std::byte const>) -> Result<> { return fail(Fault::internal, "reached"); };
  auto const response = perform(request, {});
  REQUIRE(response);
  CHECK(response->status == 404);
  CHECK(response->body == "none");
}

TEST_CASE("an answer that comes before the body is read counts") {
  for (bool const expect : {true, false}) {
    Raw const server{"HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfull"};
    auto request = get(server.url());
    request.method = "PUT";
    request.expect_continue = expect;
    request.source_size = 200_MiB;
    request.source = [](std::span<std::byte> room) -> Result<std::size_t> { return room.size(); };
    auto const response = perform(request, {});
    REQUIRE(response);
    CHECK(response->status == 413);
    CHECK(response->body == "full");
  }
}

TEST_CASE("our server refuses a body that is too large, and the client hears it") {
  Running const server{echo};
  auto request = get(server.url("/"));
  request.method = "PUT";
  request.source_size = 8_MiB;
  request.source = [](std::span<std::byte> room) -> Result<std::size_t> { return room.size(); };
  CHECK(perform(request, {}).value().status == 413);
}

TEST_CASE("an answer over the limit is cut off") {
  Running const server{[](ServerRequest const&) { return ServerResponse{200, "a/b", std::string(2000, 'x')}; }};
  auto request = get(server.url("/"));
  request.most = ByteCount{1999};
  CHECK(perform(request, {}).error().fault == Fault::too_large);
  request.most = ByteCount{2000};
  CHECK(perform(request, {}));
}

TEST_CASE("a flood of headers is cut off") {
  std::string flood = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 100; ++i) flood += fmt::format("X-{}: {}\r\n", i, std::string(1000, 'x'));
  Raw const server{flood + "\r\n"};
  CHECK(perform(get(server.url()), {}).error().fault == Fault::too_large);
}

TEST_CASE("a content encoding that was not asked for is refused") {
  Raw const server{"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"};
  CHECK(perform(get(server.url()), {}).error().fault == Fault::http_protocol);
}

TEST_CASE("what is not HTTP is refused, and so is an answer cut short") {
  Raw const noise{"220 smtp.example ready\r\n"};
  CHECK(perform(get(noise.url()), {}).error().fault == Fault::http_protocol);
  Raw const cut{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfour"};
  CHECK(perform(get(cut.url()), {}).error().fault == Fault::http_connect);
}

TEST_CASE("a redirect is followed only when asked, on the same host, three times at most") {
  auto const server_of = [](std::string const& where) {
    return Raw{"HTTP/1.1 302 Found\r\nLocation: " + where + "\r\nContent-Length: 0\r\n\r\n"};
  };
  Running const target{echo};

  auto const plain = server_of(target.url("/there"));
  CHECK(perform(get(plain.url()), {}).value().status == 302);

  auto const followed = server_of(target.url("/there"));
  auto request = get(followed.url());
  request.follow_redirects = true;
  CHECK(perform(request, {}).value().body == "GET /there ");

  for (std::string const where : {"http://localhost/x", "file:///etc/passwd", "http://169.254.169.254/latest"}) {
    auto const elsewhere = server_of(where);
    request.url = elsewhere.url();
    CHECK(perform(request, {}).error().fault == Fault::http_redirect);
  }
}

TEST_CASE("stopping ends a request that hangs") {
  asio::io_context loop;
  asio::ip::tcp::acceptor silent{loop, {asio::ip::address_v4::loopback(), 0}};
  std::stop_source stop;
  std::thread asking{[&] {
    auto const response =
        perform(get(fmt::format("http://127.0.0.1:{}/", silent.local_endpoint().port())), stop.get_token());
    CHECK(response.error().fault == Fault::cancelled);
  }};
  auto const started = std::chrono::steady_clock::now();
  asio::ip::tcp::socket peer{loop};
  silent.accept(peer);
  stop.request_stop();
  asking.join();
  CHECK(std::chrono::steady_clock::now() - started < std::chrono::seconds{2});
}

TEST_CASE("a deadline ends a request that hangs") {
  asio::io_context loop;
  asio::ip::tcp::acceptor silent{loop, {asio::ip::address_v4::loopback(), 0}};
  auto request = get(fmt::format("http://127.0.0.1:{}/", silent.local_endpoint().port()));
  request.deadline = std::chrono::seconds{1};
  CHECK(perform(request, {}).error().fault == Fault::http_timeout);
}

TEST_CASE("errors name the URL without its secrets, the reason and a remedy") {
  auto request = get("http://user:secret@127.0.0.1:1/a?token=secret");
  auto const refused = perform(request, {});
  CHECK(refused.error().fault == Fault::http_connect);
  CHECK(refused.error().what ==
        "http://127.0.0.1:1/a: cannot connect: Connection refused; check that the service runs there");
  request.url = "ftp://127.0.0.1/a";
  CHECK(perform(request, {}).error().fault == Fault::http_scheme);
  request.url = "http://no-such-host.invalid/";
  CHECK(perform(request, {}).error().fault == Fault::http_resolve);
  request.url = "http://127.0.0.1:1/";
  request.headers = {{"X-A", "b\r\nX-Injected: c"}};
  CHECK(perform(request, {}).error().fault == Fault::http_protocol);
}

TEST_CASE("a server on a Unix socket has the mode it was given and goes with its object") {
  TemporaryDirectory const directory;
  auto const path = directory.path / "control.sock";
  {
    Running const server{path, 0660, echo};
    CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::mask) == std::filesystem::perms{0660});
    auto request = get("http://localhost/status");
    request.unix_socket = path;
    CHECK(perform(request, {}).value().body == "GET /status ");
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a dead socket is replaced; a live one and another file are not") {
  TemporaryDirectory const directory;
  auto const path = directory.path / "control.sock";
  auto const fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.native().copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  ::close(fd);

  Running const first{path, 0600, echo};
  asio::io_context loop;
  auto const second = Server::on_unix_socket(loop, path, 0600, echo);
  REQUIRE_FALSE(second);
  CHECK(second.error().fault == Fault::exists);

  std::ofstream{directory.path / "file"} << "precious";
  auto const third = Server::on_unix_socket(loop, directory.path / "file", 0600, echo);
  REQUIRE_FALSE(third);
  CHECK(third.error().fault == Fault::exists);
  CHECK(std::filesystem::file_size(directory.path / "file") == 8);
}

TEST_CASE("an address that cannot be listened on is refused") {
  asio::io_context loop;
  for (auto const* address : {"", "9464", "localhost:9464", "127.0.0.1:65536", "::1:9464x", "[::1:9464"}) {
    auto const server = Server::on_tcp(loop, address, echo);
    REQUIRE_FALSE(server);
    CHECK(server.error().fault == Fault::config_value);
  }
  Running const taken{echo};
  auto const address = taken.url("").substr(std::string_view{"http://"}.size());
  CHECK(Server::on_tcp(loop, address, echo).error().fault == Fault::http_connect);
}

TEST_CASE("a connection is used again, and nonsense on it gets 400") {
  Running const server{echo};
  auto const url = server.url("");
  asio::io_context loop;
  asio::ip::tcp::socket socket{loop};
  socket.connect(
      {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)))});
  asio::streambuf answer;
  for (auto const* path : {"/one", "/two"}) {
    asio::write(socket, asio::buffer(fmt::format("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", path)));
    auto const size = asio::read_until(socket, answer, fmt::format("GET {} ", path));
    answer.consume(size);
  }
  asio::write(socket, asio::buffer(std::string{"nonsense\r\n\r\n"}));
  CHECK(asio::read_until(socket, answer, "400 Bad Request") > 0);
}

TEST_CASE("with all places taken, a newcomer gets that of whoever is idle the longest") {
  Running const server{echo};
  auto const url = server.url("");
  asio::ip::tcp::endpoint const endpoint{asio::ip::address_v4::loopback(),
                                         static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)))};
  asio::io_context loop;
  std::vector<asio::ip::tcp::socket> idle;
  for (int i = 0; i < 200; ++i) {
    idle.emplace_back(loop).connect(endpoint);
    asio::write(idle.back(), asio::buffer(std::string{"GET / HTTP/1.1\r\nHos"}));  // and no more
  }
  auto request = get(server.url("/late"));
  request.deadline = std::chrono::seconds{5};
  CHECK(perform(request, {}));
  boost::system::error_code error;
  char byte = 0;
  idle.front().read_some(asio::buffer(&byte, 1), error);
  CHECK(error == asio::error::eof);
}

}  // namespace
}  // namespace imageswarm::http
