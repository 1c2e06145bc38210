// Serves a made-up board on the socket named by the first argument, to look at imageswarmctl without a daemon. The
// image that is being fetched moves on with every question.
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>

#include "tests/support/made_up_board.hpp"

int main(int argc, char** argv) {
  using namespace imageswarm;
  if (argc != 2) return std::fputs("usage: board_server SOCKET\n", stderr), 2;
  boost::asio::io_context loop;
  test::FakeCommands commands;
  auto const handler = [&commands](http::ServerRequest const& request) {
    auto& fetching = commands.shown.images.front();
    if (fetching.state == state::ImageState::fetching && !commands.shown.paused) {
      fetching.progress = *fetching.progress + 0.01;
      if (*fetching.progress >= 1) {
        fetching.state = state::ImageState::active;
        fetching.progress.reset();
        for (auto& sink : fetching.sinks) sink = {sink.type, sink.name, state::SinkState::present, "there", {}};
      }
    }
    return control::handle(request, commands);
  };
  auto const server = http::Server::on_unix_socket(loop, argv[1], 0600, handler);
  if (!server) return std::fprintf(stderr, "%s\n", server.error().line().c_str()), 1;
  boost::asio::signal_set stop{loop, SIGINT, SIGTERM};
  stop.async_wait([&loop](auto, auto) { loop.stop(); });
  loop.run();
}
