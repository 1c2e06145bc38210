#pragma once

#include <catch2/catch.hpp>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "daemon/swarm/swarm.hpp"
#include "tests/support/sample_torrent.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/tracker.hpp"

namespace imageswarm::test {

namespace fs = std::filesystem;
using swarm::Event;

inline std::string content_at(fs::path const& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// A whole image in a failure message helps nobody.
inline bool holds(fs::path const& path, std::string_view content) {
  return content_at(path) == content;
}

inline void write(fs::path const& path, std::string_view content) {
  std::ofstream{path, std::ios::binary} << content;
}

/// An artefact with its torrent, as an endorser would publish it.
struct Artefact {
  Uuid image_id = Uuid::random();
  std::string name = "disk.img";
  std::string content;
  std::string torrent;
  document::Torrent promised;

  /// With `swarm_ca` (PEM) it is a private image.
  explicit Artefact(std::size_t size, torrent::Flavour flavour = torrent::Flavour::v2, ByteCount piece = 16_KiB,
                    std::string const& swarm_ca = "")
      : content{noise(size)} {
    auto sample = torrent_of(content, piece, flavour, name, swarm_ca);
    torrent = std::move(sample.bytes);
    promised = std::move(sample.promised);
  }

  swarm::Transfer transfer(fs::path const& directory, std::vector<std::string> trackers, bool in_place = false) const {
    auto admitted = torrent::admit(torrent, promised);
    REQUIRE(admitted);
    return {image_id, std::move(*admitted), directory, directory / "resume", in_place, std::move(trackers), {}};
  }
};

/// A directory with the artefact in it.
inline fs::path seeded(TemporaryDirectory const& directory, Artefact const& artefact) {
  auto const path = directory / "seed";
  fs::create_directory(path);
  write(path / artefact.name, artefact.content);
  return path;
}

inline fs::path fresh(TemporaryDirectory const& directory, char const* name) {
  fs::create_directory(directory / name);
  return directory / name;
}

/// A swarm on loopback whose events can be waited for.
class Host {
public:
  explicit Host(flow::SwarmSettings const& settings = quiet(), swarm::Patience patience = {}) {
    auto opened = swarm::Swarm::open(
        settings,
        [this](Event event) {
          std::lock_guard const lock{mutex_};
          events_.push_back(std::move(event));
          arrived_.notify_all();
        },
        patience);
    if (!opened) FAIL(opened.error().line());
    swarm = std::move(*opened);
  }
  ~Host() { swarm.reset(); }

  /// Each host has an address of its own: libtorrent takes (address, port) for the peer and bans by address.
  static flow::SwarmSettings quiet() {
    static int host = 1;
    flow::SwarmSettings settings;
    settings.listen = "127.0.0." + std::to_string(++host) + ":0";
    settings.dht = false;
    settings.peer_exchange = false;
    return settings;
  }

  void add(swarm::Transfer transfer) {
    auto const added = swarm->add(std::move(transfer));
    if (!added) FAIL(added.error().line());
  }

  /// The next event, whatever it is; nothing if there is none in time.
  std::optional<Event> next(std::chrono::seconds patience = std::chrono::seconds{20}) {
    std::unique_lock lock{mutex_};
    if (!arrived_.wait_for(lock, patience, [this] { return !events_.empty(); })) return {};
    auto event = std::move(events_.front());
    events_.erase(events_.begin());
    return event;
  }

  bool next_is(Event::Kind kind) {
    auto const event = next();
    if (event && event->kind == kind) return true;
    UNSCOPED_INFO((event ? event->error.line() : "no event"));
    return false;
  }

  /// Passes over what comes before.
  bool ends_with(Event::Kind kind) {
    for (;;) {
      auto const event = next();
      if (!event) return false;
      if (event->kind == kind) return true;
      UNSCOPED_INFO(event->error.line());
    }
  }

  swarm::TransferStatus status() {
    auto const all = swarm->statuses();
    REQUIRE(all.size() == 1);
    return all.front();
  }

  /// Waits for a status that holds; the figures come once a second and on request.
  template <class Holds>
  bool until(Holds holds) {
    auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (std::chrono::steady_clock::now() < deadline) {
      swarm->request_statuses();
      std::unique_lock lock{mutex_};
      arrived_.wait_for(lock, std::chrono::milliseconds{20});
      lock.unlock();
      if (holds(status())) return true;
    }
    return false;
  }

  std::unique_ptr<swarm::Swarm> swarm;

private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Event> events_;
};

}  // namespace imageswarm::test
