#pragma once

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/torrent/torrent.hpp"
#include "daemon/coordinator/images.hpp"
#include "tests/support/sample_want.hpp"
#include "tests/support/temporary_directory.hpp"

// A host without network: its sinks and its swarm do what a test says, everything between them is real.

namespace imageswarm::test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using selection::Decision;
using selection::Verdict;
using state::ImageState;

struct FakeClock final : Clock {
  TimePoint time = *parse_time("2031-01-01T00:00:00Z");
  TimePoint now() const override { return time; }
};

/// Nobody else is there, or somebody who says nothing.
struct NoNeighbours final : exchange::Neighbours {
  void follow(std::vector<exchange::Followed>) override {}
  std::optional<exchange::Copy> newer_copy(exchange::Topic const&, std::stop_token const&) override { return {}; }
  void pass_over(exchange::Topic const&, Sha256 const&) override {}
  void refuse(Sha256 const&) override {}
  Result<exchange::Copy> torrent_file(Sha256 const&, ByteCount, std::stop_token const& stop) override {
    std::mutex mutex;
    std::unique_lock lock{mutex};
    ++waiting;
    if (silent) std::condition_variable_any{}.wait(lock, stop, [] { return false; });
    return fail(Fault::not_found, "nobody has it");
  }

  std::atomic<bool> silent = false;
  std::atomic<unsigned> waiting = 0;  ///< or has waited
};

class FakeSwarm final : public swarm::Transfers {
public:
  std::map<Uuid, swarm::Transfer> joined;
  std::vector<Uuid> restarted;
  unsigned resumed = 0;
  std::vector<swarm::TransferStatus> figures;

  Result<> add(swarm::Transfer transfer) override {
    auto const id = transfer.image_id;
    joined.insert_or_assign(id, std::move(transfer));
    return {};
  }
  void remove(Uuid const& image_id) override {
    if (auto const at = joined.find(image_id); at != joined.end() && at->second.arrival) at->second.arrival->close();
    joined.erase(image_id);
  }
  void restart(Uuid const& image_id) override { restarted.push_back(image_id); }
  /// In the figures of the transfers.
  void show_half(Uuid const& image_id, Rate download_rate) {
    swarm::TransferStatus status;
    status.image_id = image_id;
    status.progress = 0.5;
    status.download_rate = download_rate;
    figures.push_back(status);
  }
  void set_rates(flow::HostRates const&) override {}
  void resume_after_disk_full() override { ++resumed; }
  void request_statuses() override {}
  std::vector<swarm::TransferStatus> statuses() const override { return figures; }
  std::vector<swarm::PeerStatus> peers(Uuid const&) const override { return {}; }
};

/// A sink in memory. Its calls run on the pool; what a test sets or reads goes through the mutex.
class FakeSink final : public sinks::Sink {
public:
  explicit FakeSink(std::string name, std::string type = "glance") : name_{std::move(name)}, type_{std::move(type)} {}

  std::string_view type() const override { return type_; }
  std::string const& name() const override { return name_; }

  Result<std::optional<flow::Receipt>> find(flow::Want const& want, flow::Receipt const*,
                                            std::stop_token const&) override {
    std::unique_lock lock{mutex_};
    ++calls_["find"];
    asked_for_ = want.glance_id;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !stuck_; });  // a server that does not answer: no stop helps
    auto const at = content_.find(want.image.image_id);
    return at == content_.end() ? std::nullopt : std::optional{at->second};
  }

  Result<flow::Receipt> put(flow::Want const& want, flow::Artefact const& artefact, Progress const&,
                            std::stop_token const& stop) override {
    std::unique_lock lock{mutex_};
    ++calls_["put"];
    changed_.notify_all();
    lock.unlock();
    auto const whole = artefact.verified();
    lock.lock();
    if (whole) changed_.wait(lock, stop, [this] { return !slow_; });
    if (stop.stop_requested()) {
      ++calls_["put cancelled"];
      return fail(Fault::cancelled, "stopped");
    }
    if (!whole) return fail(whole.error());
    if (put_fault_) return fail(*put_fault_, "as the test wants it");
    flow::Receipt receipt{.image_id = want.image.image_id,
                          .sink = name_,
                          .sink_type = type_,
                          .reference = its_id_.empty() ? want.image.image_id.text() : its_id_,
                          .content_sha256 = want.image.content_sha256,
                          .content_sha512 = want.image.content_sha512,
                          .size = want.image.content_size,
                          .compared = "content-sha256",
                          .provenance = want.provenance,
                          .at = {},
                          .uploaded_here = true};
    content_.insert_or_assign(want.image.image_id, receipt);
    return receipt;
  }

  Result<flow::Retired> retire(flow::Want const& want, flow::Retirement why, std::stop_token const&) override {
    std::lock_guard const lock{mutex_};
    auto const id = want.image.image_id;
    retired_.emplace_back(id, why);
    if (!content_.contains(id)) return flow::Retired{};
    if (in_use_) return flow::Retired{flow::Effect::in_use, id.text(), "a virtual machine"};
    content_.erase(id);
    return flow::Retired{flow::Effect::removed, id.text(), {}};
  }

  Result<> clean_up(std::stop_token const&) override { return {}; }

  unsigned calls(std::string const& call) {
    std::lock_guard const lock{mutex_};
    return calls_[call];
  }
  std::vector<std::pair<Uuid, flow::Retirement>> retired() {
    std::lock_guard const lock{mutex_};
    return retired_;
  }
  bool has(Uuid const& id) {
    std::lock_guard const lock{mutex_};
    return content_.contains(id);
  }
  /// The reference of what is put there from now on, instead of the image ID.
  void calls_it(std::string id) {
    std::lock_guard const lock{mutex_};
    its_id_ = std::move(id);
  }
  /// The Glance ID that the last `find` was for.
  std::string asked_for() {
    std::lock_guard const lock{mutex_};
    return asked_for_;
  }
  /// Somebody else takes it away.
  void lose(Uuid const& id) {
    std::lock_guard const lock{mutex_};
    content_.erase(id);
  }
  void be_used(bool in_use) {
    std::lock_guard const lock{mutex_};
    in_use_ = in_use;
  }
  void fail_puts(std::optional<Fault> fault) {
    std::lock_guard const lock{mutex_};
    put_fault_ = fault;
  }
  /// `put` takes until it is stopped or this is taken back.
  void be_slow(bool slow) {
    std::lock_guard const lock{mutex_};
    slow_ = slow;
    changed_.notify_all();
  }
  /// `find` does not come back until this is taken back.
  void be_stuck(bool stuck) {
    std::lock_guard const lock{mutex_};
    stuck_ = stuck;
    changed_.notify_all();
  }

private:
  std::string name_, type_;
  std::mutex mutex_;  // guards all that follows
  std::condition_variable_any changed_;
  std::map<std::string, unsigned> calls_;
  std::map<Uuid, flow::Receipt> content_;
  std::vector<std::pair<Uuid, flow::Retirement>> retired_;
  std::optional<Fault> put_fault_;
  std::string its_id_, asked_for_;
  bool slow_ = false, stuck_ = false, in_use_ = false;
};

/// An image as an endorser would publish it.
struct Published {
  std::string content;
  std::string torrent;
  flow::Want want;

  explicit Published(std::string const& version, std::size_t size = 50'000, std::string const& name = "debian-12",
                     char filling = 'x')
      : content(size, filling), want{sample_want()} {
    content.replace(0, version.size(), version);
    want.image = sample_image(name, version, content);
    torrent::Builder builder{16_KiB, torrent::Flavour::v2};
    builder.update(std::as_bytes(std::span{content}));
    auto built = builder.finish(want.image.torrent.content_name, TimePoint{});
    REQUIRE(built);
    torrent = built->bytes;
    auto& promised = want.image.torrent;
    promised.file_size = {torrent.size()};
    promised.file_sha256 = digest_of<Sha256>(torrent);
    promised.info_hash_v2 = built->info_hash_v2;
    promised.piece_length = 16_KiB;
  }

  Uuid const& id() const { return want.image.image_id; }
  Decision decided(Verdict verdict, std::string reason = "") const {
    Decision decision;
    decision.want = want;
    decision.verdict = verdict;
    decision.may_fetch = decision.may_seed = verdict == Verdict::selected;
    if (verdict != Verdict::selected) decision.reasons.push_back({"kept", std::move(reason), false});
    return decision;
  }
};

class Host {
public:
  explicit Host(std::vector<std::shared_ptr<FakeSink>> its_sinks = {std::make_shared<FakeSink>("glance")})
      : sinks{std::move(its_sinks)} {
    store.directory = directory / "store";
    start();
  }
  ~Host() {
    for (auto const& sink : sinks) {
      sink->be_slow(false);
      sink->be_stuck(false);
    }
    stop();
  }

  void start() {
    auto opened = state::State::open(directory / "state.sqlite");
    REQUIRE(opened);
    state_ = std::make_unique<state::State>(std::move(*opened));
    hooks = std::make_unique<hooks::Queue>(*state_);
    REQUIRE(hooks->load());
    REQUIRE(hooks->configure("hv001", hook_settings));
    workers_ = std::make_unique<coordinator::Workers>(loop, 4);
    ahead_workers_ = std::make_unique<coordinator::Workers>(loop, 2);
    retirement_workers_ = std::make_unique<coordinator::Workers>(loop, 1);
    images = std::make_unique<coordinator::Images>(coordinator::Images::Surroundings{
        loop, *workers_, *ahead_workers_, *retirement_workers_, *state_, swarm, neighbours, clock,
        [this](Fault fault) { said.push_back(fault); }, [] {}, *hooks});
    REQUIRE(images->load());
    configure();
  }
  void configure() { images->configure(store, {sinks.begin(), sinks.end()}); }
  void stop() {
    workers_->stop();
    ahead_workers_->stop();
    retirement_workers_->stop();
    loop.restart();
    loop.poll();
    images.reset();
    hooks.reset();
    workers_.reset();
    ahead_workers_.reset();
    retirement_workers_.reset();
    state_.reset();
    swarm.joined.clear();
  }
  void restart() {
    stop();
    start();
  }
  /// `change` works on the state that a crash left behind.
  template <class Change>
  void restart_after(Change change) {
    stop();
    {
      auto left = state::State::open(directory / "state.sqlite");
      REQUIRE(left);
      change(*left);
    }
    start();
  }

  /// The torrent file lies in the store already, so that nothing is fetched.
  void know(Published const& image) {
    fs::create_directories(store.directory / "torrents");
    write(torrent_of(image), image.torrent);
  }
  void plan(std::vector<Decision> decisions) { images->carry_out({std::move(decisions)}, true); }

  /// Lets the loop run until this holds; false if it does not within ten seconds.
  template <class Holds>
  bool until(Holds holds) {
    auto const deadline = std::chrono::steady_clock::now() + 10s;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      loop.restart();
      loop.run_one_for(20ms);
    }
    return true;
  }
  /// Everything that waits for nothing is done.
  void let_run() {
    for (int turn = 0; turn < 10; ++turn) {
      loop.restart();
      loop.run_for(10ms);
      images->tick();
    }
  }

  /// The swarm has this much of the image in order, and half of it in all; the rest is expected soon.
  void begin_to_deliver(Published const& image, std::string_view part) {
    know(image);
    plan({image.decided(Verdict::selected)});
    REQUIRE(until([&] { return swarm.joined.contains(image.id()); }));
    auto const& transfer = swarm.joined.at(image.id());
    write(transfer.directory / image.want.image.torrent.content_name, part);
    transfer.arrival->reached({part.size()});
    swarm.show_half(image.id(), {10'000});
    images->tick();
  }
  /// The swarm has the whole image.
  void deliver(Published const& image, std::string_view content) {
    REQUIRE(until([&] { return swarm.joined.contains(image.id()); }));
    auto const& transfer = swarm.joined.at(image.id());
    write(transfer.directory / image.want.image.torrent.content_name, content);
    if (transfer.arrival) transfer.arrival->reached({content.size()});
    images->on_swarm_event({.image_id = image.id()});
  }
  void deliver(Published const& image) { deliver(image, image.content); }
  /// From nothing to active.
  void bring(Published const& image) {
    know(image);
    plan({image.decided(Verdict::selected)});
    deliver(image);
    REQUIRE(until([&] { return state_of(image) == ImageState::active; }));
  }

  std::optional<state::ImageStatus> row(Published const& image) const {
    for (auto& row : images->statuses()) {
      if (row.image_id == image.id()) return row;
    }
    return std::nullopt;
  }
  std::optional<ImageState> state_of(Published const& image) const {
    auto const found = row(image);
    return found ? std::optional{found->state} : std::nullopt;
  }
  bool has_files(Published const& image) const {
    return fs::exists(artefact(image).parent_path()) || fs::exists(torrent_of(image));
  }
  fs::path torrent_of(Published const& image) const {
    return store.directory / "torrents" / (image.id().text() + ".torrent");
  }
  fs::path artefact(Published const& image) const {
    return store.directory / "images" / image.id().text() / image.want.image.torrent.content_name;
  }

  static void write(fs::path const& path, std::string_view content) {
    std::ofstream{path, std::ios::binary} << content;
  }

  TemporaryDirectory directory;
  boost::asio::io_context loop{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> const open_end{loop.get_executor()};
  FakeClock clock;
  FakeSwarm swarm;
  NoNeighbours neighbours;
  flow::StoreSettings store;
  std::vector<std::shared_ptr<FakeSink>> sinks;
  std::vector<Fault> said;
  std::vector<flow::HookSettings> hook_settings;  ///< count with the next start
  std::unique_ptr<hooks::Queue> hooks;
  std::unique_ptr<coordinator::Images> images;

private:
  std::unique_ptr<state::State> state_;
  std::unique_ptr<coordinator::Workers> workers_, ahead_workers_, retirement_workers_;
};

}  // namespace imageswarm::test
