// How fast the torrent builder hashes, beside sha256 of the same bytes: bench_torrent_build [MiB]
#include <chrono>
#include <cstdlib>
#include <string>

#include "common/torrent/torrent.hpp"

using namespace imageswarm;

namespace {

/// MB/s of `take` being given `total` bytes, 1 MiB at a time, as the indexer does.
template <class Take>
double speed(std::size_t total, Take take) {
  std::string const chunk(1u << 20, 'x');
  auto const start = std::chrono::steady_clock::now();
  for (std::size_t done = 0; done < total; done += chunk.size()) take(std::as_bytes(std::span{chunk}));
  std::chrono::duration<double> const took = std::chrono::steady_clock::now() - start;
  return static_cast<double>(total) / 1e6 / took.count();
}

}  // namespace

int main(int argc, char** argv) {
  auto const mib = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 512;
  auto const total = mib << 20;
  auto const length = torrent::piece_length_for({total});
  Hasher<Sha256> sha256;
  torrent::Builder v2{length, torrent::Flavour::v2}, hybrid{length, torrent::Flavour::hybrid};
  fmt::print("{} MiB, one thread\n", mib);
  fmt::print("sha256          {:7.0f} MB/s\n", speed(total, [&](auto data) { sha256.update(data); }));
  fmt::print("torrent v2      {:7.0f} MB/s\n", speed(total, [&](auto data) { v2.update(data); }));
  fmt::print("torrent hybrid  {:7.0f} MB/s\n", speed(total, [&](auto data) { hybrid.update(data); }));
}
