#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/appliance/grid.hpp"
#include "daemon/coordinator/images.hpp"
#include "daemon/coordinator/workers.hpp"
#include "daemon/state/board.hpp"
#include "daemon/state/deployment.hpp"

namespace imageswarm::coordinator {

/// Makes the appliances of a grid out of images that are here, one at a time, and puts them into the sinks. Lives on
/// the loop thread. Nothing of it outlives the daemon but what is in sinks: asked again, it does what is missing.
class Deployments {
public:
  struct Surroundings {
    Workers& workers;  ///< one thread: one appliance at a time on disk
    Images& images;
    std::function<state::Board const&()> board;
  };
  explicit Deployments(Surroundings surroundings) : around_{std::move(surroundings)} {}

  void configure(std::filesystem::path grids, std::filesystem::path const& store);
  /// Begins, or with `only_show` reads the grid and sees what its images are. Fault exists: another one is under way.
  [[nodiscard]] Result<> start(std::string const& grid, bool only_show);
  std::vector<state::Deployment> statuses() const;

private:
  struct Prepared;
  struct Put;

  void read(Result<appliance::Grid> grid);
  void look_at_images();
  Result<Derivable> source_of(appliance::Component const& component) const;
  void next();
  void prepare(appliance::Component const& component, Derivable source);
  void put(Prepared prepared);
  void was_put(flow::Want const& want, std::vector<Put> const& puts);
  void failed(Error error);
  void finish();

  state::DeployedComponent& row() { return deployments_.at(running_).components.at(at_); }

  Surroundings around_;
  std::filesystem::path grids_, folder_;
  std::map<std::string, state::Deployment> deployments_;
  std::string running_;  ///< empty: none
  std::vector<appliance::Component> components_;
  std::size_t at_ = 0;  ///< the component in hand
  std::shared_ptr<std::atomic<std::uint64_t>> moved_ = std::make_shared<std::atomic<std::uint64_t>>(0);
  ByteCount to_move_;
};

}  // namespace imageswarm::coordinator
