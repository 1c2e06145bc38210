#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/file.hpp"
#include "daemon/coordinator/documents.hpp"
#include "tests/support/sample_image.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_ca.hpp"

namespace imageswarm::test {

/// What other hosts say and give is up to the test. Calls come from the pool; what they share goes through the mutex.
class FakeNeighbours final : public exchange::Neighbours {
public:
  void follow(std::vector<exchange::Followed> documents) override { followed = std::move(documents); }
  std::optional<exchange::Copy> newer_copy(exchange::Topic const&, std::stop_token const&) override {
    std::lock_guard const lock{mutex_};
    ++asked_;
    if (offers_.empty()) return std::nullopt;
    auto bytes = std::move(offers_.front());
    offers_.erase(offers_.begin());
    return exchange::Copy{bytes, digest_of<Sha256>(bytes), "10.0.0.7"};
  }
  void pass_over(exchange::Topic const&, Sha256 const& digest) override {
    std::lock_guard const lock{mutex_};
    passed_over_.push_back(digest);
  }
  void refuse(Sha256 const& digest) override {
    std::lock_guard const lock{mutex_};
    refused_.push_back(digest);
  }
  Result<exchange::Copy> torrent_file(Sha256 const&, ByteCount, std::stop_token const&) override {
    return fail(Fault::not_found, "nobody has it");
  }

  /// From now on they offer these, one after the other.
  void offer(std::vector<std::string> documents) {
    std::lock_guard const lock{mutex_};
    offers_ = std::move(documents);
  }
  std::vector<Sha256> passed_over() {
    std::lock_guard const lock{mutex_};
    return passed_over_;
  }
  std::vector<Sha256> refused() {
    std::lock_guard const lock{mutex_};
    return refused_;
  }
  unsigned asked() {
    std::lock_guard const lock{mutex_};
    return asked_;
  }

  std::vector<exchange::Followed> followed;  ///< on the loop

private:
  std::mutex mutex_;  // guards all that follows
  std::vector<std::string> offers_;
  std::vector<Sha256> passed_over_, refused_;
  unsigned asked_ = 0;
};

/// A host that follows documents in local files, with anchors of its own that a test may change.
class Follower {
public:
  Follower() {
    std::filesystem::copy(TestCa::instance().path() / "anchors", anchors().anchors,
                          std::filesystem::copy_options::recursive);
  }

  std::filesystem::path path(std::string const& name) const { return directory_ / name; }
  trust::AnchorPolicy anchors() const { return {path("anchors"), trust::Requirement::require}; }

  flow::SubscriptionSettings subscription(std::string const& file = "catalogue.yaml") const {
    flow::SubscriptionSettings settings;
    settings.url = path(file);
    settings.signers = {{*trust::DistinguishedName::parse("CN=Bob Endorser,O=Example"), {}}};
    return settings;
  }

  /// What Bob publishes: one image for each letter.
  static document::Catalogue catalogue(std::uint64_t serial, std::string const& letters = "a") {
    document::Catalogue catalogue;
    catalogue.header.kind = document::Kind::catalogue;
    catalogue.header.name = "lxcloud";
    catalogue.header.serial = serial;
    catalogue.header.issued = TestCa::instance().now() - std::chrono::hours{1};
    catalogue.header.expires = TestCa::instance().now() + std::chrono::days{28};
    for (auto const letter : letters) {
      catalogue.images.push_back(sample_image("image", std::to_string(letter), std::string{letter}));
    }
    return catalogue;
  }
  void publish(document::Catalogue const& catalogue, std::string const& file = "catalogue.yaml") const {
    publish(document::write(catalogue), file);
  }
  void publish(std::string const& body, std::string const& file) const {
    auto const bytes = TestCa::instance().signer("bob").sign(body);
    REQUIRE(bytes);
    REQUIRE(write_file_atomically(path(file), *bytes));
  }

  void follow(std::vector<flow::SubscriptionSettings> const& subscriptions) {
    REQUIRE(documents.configure(subscriptions, anchors()));
    run_until([this] { return documents.settled(); });
  }
  void refresh() {
    auto const before = answers_;
    documents.refresh_now();
    run_until([&] { return answers_ >= before + documents.statuses().size(); });
  }
  /// Runs the loop until this is so; ten seconds are a failure.
  void run_until(std::function<bool()> const& so) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (!so()) {
      if (loop.run_one_until(end) == 0) FAIL("not within ten seconds");
    }
  }

  unsigned answers_so_far() const { return answers_; }
  state::SubscriptionStatus status() const { return documents.statuses().front(); }
  std::string fault() const {
    auto const row = status();
    return row.error ? std::string{word(row.error->fault)} : "";
  }
  std::uint64_t serial() const { return status().serial.value_or(0); }
  selection::Standing standing() const { return documents.catalogues().front().standing; }

  /// What a restart of the daemon begins with; `changed` is called instead of a plan.
  std::unique_ptr<coordinator::Documents> documents_again(std::function<void(coordinator::Documents&)> changed) {
    auto holder = std::make_shared<coordinator::Documents*>(nullptr);
    auto again = std::make_unique<coordinator::Documents>(
        coordinator::Refresher::Surroundings{loop, workers, urgent_workers_, state_, clock, neighbours,
                                             [holder, changed = std::move(changed)] { changed(**holder); },
                                             [](auto const&, auto const&) { return std::nullopt; }, [](Fault) {}});
    *holder = again.get();
    return again;
  }

  boost::asio::io_context loop;
  FakeNeighbours neighbours;
  std::uint64_t held_back_from = UINT64_MAX;  ///< versions from this serial on are held back
  /// What there would be with the version that came last.
  std::vector<selection::Source<document::Catalogue>> catalogues_with_offer;
  std::map<Fault, unsigned> said;  ///< how often each fault was

private:
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{loop.get_executor()};
  TemporaryDirectory directory_;
  unsigned answers_ = 0;
  state::State state_ = state::State::open(directory_ / "state.sqlite").value();
  coordinator::Workers urgent_workers_{loop, 1};

public:
  coordinator::Workers workers{loop, 2};
  coordinator::ClockReading clocks{TestCa::instance().now(), std::chrono::hours{100}};
  coordinator::Timekeeper clock{
      {state_, "this boot", [this] { return clocks; }, [this](Fault fault) { ++said[fault]; }}};
  coordinator::Documents documents{{loop, workers, urgent_workers_, state_, clock, neighbours, [this] { ++answers_; },
                                    [this](auto const& source, auto const& version) -> std::optional<Error> {
                                      catalogues_with_offer = documents.catalogues_with(source, version);
                                      if (version.header().serial < held_back_from) return std::nullopt;
                                      return Error{Fault::mass_withdrawal, "too much"};
                                    },
                                    [this](Fault fault) { ++said[fault]; }}};
};

}  // namespace imageswarm::test
