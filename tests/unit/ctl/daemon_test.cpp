#include "daemon/control/ctl/daemon.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/base/file.hpp"
#include "daemon/control/ctl/cli.hpp"
#include "tests/support/made_up_board.hpp"
#include "tests/support/temporary_directory.hpp"

namespace imageswarm::ctl {
namespace {

using Catch::Matchers::Contains;
using test::TemporaryDirectory;

/// The control API with a made-up board, on a thread of its own.
class Served {
public:
  explicit Served(std::filesystem::path const& socket) {
    auto server = http::Server::on_unix_socket(loop_, socket, 0600, [this](http::ServerRequest const& request) {
      return control::handle(request, commands_);
    });
    server_ = std::make_unique<http::Server>(std::move(server.value()));
    thread_ = std::jthread{[this] { loop_.run(); }};
  }
  ~Served() {
    loop_.stop();
    thread_.join();
  }

private:
  boost::asio::io_context loop_;
  test::FakeCommands commands_;
  std::unique_ptr<http::Server> server_;
  std::jthread thread_;
};

int run(std::vector<char const*> arguments) {
  arguments.insert(arguments.begin(), "imageswarmctl");
  return run_program(static_cast<int>(arguments.size()), arguments.data());
}

TEST_CASE("the daemon is asked over its socket") {
  TemporaryDirectory const directory;
  Served const served{directory / "sock"};
  Daemon const daemon{directory / "sock"};
  auto const status = daemon.get("/status");
  REQUIRE(status);
  CHECK((*status)["host"] == "hv001.example.org");
  auto const limits = daemon.post("/limit", {{"upload", "5MB/s"}});
  REQUIRE(limits);
  CHECK((*limits)["upload-limit"] == 5'000'000);
}

TEST_CASE("what the daemon refuses comes with its fault and its words") {
  TemporaryDirectory const directory;
  Served const served{directory / "sock"};
  auto const answer = Daemon{directory / "sock"}.get("/peers/" + escaped("no such image?"));
  REQUIRE_FALSE(answer);
  CHECK(answer.error().fault == Fault::not_found);
  CHECK_THAT(answer.error().what, Contains("'no such image?'"));
}

TEST_CASE("a daemon that does not answer is named with its socket, the reason and the remedy") {
  TemporaryDirectory const directory;
  auto const socket = directory / "sock";
  auto const asked = [&] {
    auto answer = Daemon{socket}.get("/status");
    REQUIRE_FALSE(answer);
    CHECK(answer.error().fault == Fault::daemon_unreachable);
    CHECK_THAT(answer.error().what, Contains(socket.native()));
    return answer.error().what;
  };
  CHECK_THAT(asked(), Contains("no such socket") && Contains("is imageswarmd running?"));

  UniqueFd dead{::socket(AF_UNIX, SOCK_STREAM, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, socket.c_str());
  REQUIRE(::bind(dead.get(), reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0);
  dead.reset();
  CHECK_THAT(asked(), Contains("nobody listens"));
}

TEST_CASE("the exit status is 0, 1 or 2") {
  TemporaryDirectory const directory;
  auto const socket = (directory / "sock").native();
  auto const* path = socket.c_str();
  CHECK(run({"--socket", path, "status"}) == 1);
  Served const served{socket};
  CHECK(run({"--socket", path, "ready", "debian-12@20310401"}) == 0);
  CHECK(run({"--socket", path, "ready", "debian-12", "--timeout", "0"}) == 1);
  CHECK(run({"--socket", path, "ready", "fedora", "--timeout", "0"}) == 1);
  CHECK(run({"explain", "fedora", "--socket", path}) == 1);
  CHECK(run({"--socket", path, "limit", "--upload", "quick"}) == 2);
  CHECK(run({"--socket", path, "ready"}) == 2);
  CHECK(run({"--socket", path, "ready", "x", "--all"}) == 2);
  CHECK(run({"--socket", path, "peers"}) == 2);
  CHECK(run({"--socket", path, "no-such-verb"}) == 2);
  CHECK(run({"--socket", path}) == 2);
}

TEST_CASE("a name becomes one segment of a path") {
  CHECK(escaped("debian-12@1.0") == "debian-12@1.0");
  CHECK(escaped("a b/c?%") == "a%20b%2Fc%3F%25");
}

}  // namespace
}  // namespace imageswarm::ctl
