#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/coordinator/departures.hpp"
#include "daemon/coordinator/images.hpp"
#include "daemon/coordinator/ledger.hpp"
#include "daemon/coordinator/record.hpp"
#include "daemon/reuse/sources.hpp"

namespace imageswarm::coordinator {

/// Takes the steps that transitions.hpp names: starts their jobs on the pool and makes facts of their results. Lives on
/// the loop thread; jobs hold it alive, and find their image by its ID when they are done.
class ImageSteps : public std::enable_shared_from_this<ImageSteps> {
public:
  explicit ImageSteps(Images::Surroundings surroundings)
      : around{std::move(surroundings)}, ledger{around.state}, departures{around.state} {}

  /// Moves images as far as they get without waiting.
  void advance_all();
  void advance(Record& record);

  /// What earlier runs left of a new record.
  void take_stock(Record& record);
  void attach_sinks(Record& record);
  /// A new plan may end the work under way, or give the swarm other sources.
  void take_decision(Record& record, selection::Decision decision);
  void on_swarm_event(Record& record, swarm::Event const& event);
  /// Tells the hooks what they do not know yet.
  void announce_all();
  /// Of images of which nothing is left, and which nobody offers.
  void forget_announced();
  /// Transfers that a full disk stopped go on as soon as there is room again.
  void look_for_room();

  [[nodiscard]] Result<Derivable> derivable(Uuid const& image_id) const;
  [[nodiscard]] Result<> hold_derived(flow::Want const& want);
  [[nodiscard]] Result<> record_derived(flow::Want const& want, flow::Receipt receipt);
  /// Decisions on what was made of images that had to go.
  void add_derived(selection::Plan& plan) const;

  Images::Surroundings around;
  Ledger ledger;
  Departures departures;
  flow::StoreSettings store;
  std::vector<std::shared_ptr<sinks::Sink>> sinks;
  std::map<Uuid, Record> records;
  bool paused = false;

private:
  enum class Load : std::uint8_t {
    light,
    heavy,     ///< reads a whole image
    ahead,     ///< reads an image as it arrives, so mostly waits
    retiring,  ///< takes something out of use: never waits for the others
  };
  Load load_of(Record const& record, Next const& next) const;
  bool may_start(Load load) const;
  Workers& pool_for(Load load);
  void count(Load load, int jobs);
  template <class Job, class Then>
  void run(Record& record, Load load, Job job, Then then);

  void note_departure(Record& record);
  void note_owed(Record& record) const;
  void note_endorsement(Record const& record);
  Result<> announce(Record const& record);
  static void check_again(Record& record);
  void start_locate(Record& record);
  void start_fill(Record& record);
  std::vector<reuse::Known> others_here(Record const& record) const;
  bool join(Record& record);
  void leave(Record& record);
  void start_verify(Record& record);
  void start_ahead(Record& record);
  void start_check(Record& record, std::size_t index);
  void start_put(Record& record, std::size_t index);
  void start_retire(Record& record, std::size_t index);
  void start_discard(Record& record);

  void succeeded(Retry& retry);
  void failed(Record const& record, Retry& retry, Error error);
  void verified(Record& record, Result<flow::VerifiedArtefact> artefact, std::filesystem::path const& file);
  void verification_failed(Record& record, Error error);
  void sink_failed(Record& record, SinkRecord& sink, Error error);
  void was_put(Record& record, SinkRecord& sink, Result<flow::Receipt> receipt);
  void arrived(Record& record, SinkRecord& sink, flow::Receipt receipt);
  static void look_for_its_file(Record& record);
  void found_no_room(Record& record, Error error);
  bool forget_receipt(Record& record, SinkRecord& sink);
  bool hold(Record& record, std::filesystem::path const& file, bool whole);
  void release_if_nothing_is_left(Record& record);

  std::filesystem::path artefact_of(Record const& record) const;

  bool has_newer_active(Record const& record) const;
  Result<> make_room(Record const& record);
  void evict(Record& record);
  void room_was_made();

  int jobs_ = 0;  ///< on `workers`; never more than it has threads, so that none of them waits for one
  int heavy_jobs_ = 0, ahead_jobs_ = 0;
  std::string unannounced_;  ///< why, as it was said last
};

}  // namespace imageswarm::coordinator
