// One host of tests/bench/swarm: daemon/swarm and nothing else.
//
//   swarm_node make CONTENT TORRENT PIECE-LENGTH     writes a torrent file, prints its info-hash
//   swarm_node run TORRENT CONTENT-SIZE DIRECTORY LISTEN UPLOAD-PEERS SEED-PEERS TRACKER
//
// `run` seeds what lies whole in DIRECTORY, or joins at SIGUSR1 and prints "complete" and CLOCK_MONOTONIC in seconds;
// it leaves at SIGTERM.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <libtorrent/torrent_info.hpp>

#include "common/base/digest.hpp"
#include "common/base/file.hpp"
#include "daemon/swarm/swarm.hpp"

using namespace imageswarm;

namespace {

template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "swarm_node: {}\n", result.error().line());
  std::exit(1);
}

std::string content_of(char const* path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

int make(std::span<char*> arguments) {
  auto const content = content_of(arguments[0]);
  torrent::Builder builder{ByteCount{std::stoull(arguments[2])}, torrent::Flavour::v2};
  builder.update(std::as_bytes(std::span{content}));
  auto const built = must(builder.finish(std::filesystem::path{arguments[0]}.filename().native(), TimePoint{}));
  std::ofstream{arguments[1], std::ios::binary} << built.bytes;
  fmt::print("{}\n", built.info_hash_v2.hex().substr(0, 40));
  return 0;
}

torrent::AdmittedTorrent admitted(std::string bytes, std::uint64_t content_size) {
  lt::torrent_info const info{lt::span<char const>{bytes.data(), static_cast<std::ptrdiff_t>(bytes.size())},
                              lt::from_span};
  document::Torrent promised;
  promised.file_size = {bytes.size()};
  promised.file_sha256 = digest_of<Sha256>(bytes);
  auto const hash = info.info_hashes().v2.to_string();
  std::memcpy(&promised.info_hash_v2, hash.data(), hash.size());
  promised.piece_length = {static_cast<std::uint64_t>(info.piece_length())};
  promised.content_name = info.name();
  promised.content_size = {content_size};
  return must(torrent::admit(std::move(bytes), promised));
}

double monotonic() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int run(std::span<char*> arguments) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  flow::SwarmSettings settings;
  settings.listen = arguments[3];
  settings.upload_peers = static_cast<unsigned>(std::stoul(arguments[4]));
  settings.seed_peers = static_cast<unsigned>(std::stoul(arguments[5]));
  settings.dht = false;
  auto const swarm = must(swarm::Swarm::open(settings, [](swarm::Event const& event) {
    fmt::print("{} {:.3f}\n", event.kind == swarm::Event::Kind::complete ? "complete" : event.error.line(),
               monotonic());
    std::fflush(stdout);
  }));
  std::filesystem::path const directory = arguments[2];
  swarm::Transfer transfer{Uuid::random(),
                           admitted(content_of(arguments[0]), std::stoull(arguments[1])),
                           directory,
                           directory / "resume",
                           false,
                           {arguments[6]},
                           {}};
  transfer.in_place = std::filesystem::exists(directory / "whole");
  int received = 0;
  if (!transfer.in_place) sigwait(&signals, &received);
  if (received != SIGTERM) {
    if (auto const added = swarm->add(std::move(transfer)); !added) fmt::print(stderr, "{}\n", added.error().line());
    while (received != SIGTERM) sigwait(&signals, &received);
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  std::span const arguments{words, static_cast<std::size_t>(count)};
  if (arguments.size() > 4 && std::string_view{words[1]} == "make") return make(arguments.subspan(2));
  if (arguments.size() == 9 && std::string_view{words[1]} == "run") return run(arguments.subspan(2));
  fmt::print(stderr, "swarm_node belongs to tests/bench/swarm\n");
  return 2;
}
