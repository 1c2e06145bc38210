#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "daemon/flow/artefact.hpp"
#include "daemon/flow/settings.hpp"
#include "daemon/flow/values.hpp"

namespace imageswarm::sinks {

/// Where a host puts images. What is there is asked, not remembered. All calls block, are made on the pool, give up
/// within a second of `stop`, and are harmless when repeated.
class Sink {
public:
  using Progress = std::function<void(ByteCount)>;  ///< content bytes moved so far; called on the pool

  virtual ~Sink() = default;
  virtual std::string_view type() const = 0;
  virtual std::string const& name() const = 0;

  /// Is the image there, usable and right? A receipt if so (compared now, moving no content), nothing if `put` is
  /// needed. What is said about it there is brought up to date. An image that is there but hidden, half made or being
  /// made by another host counts as not there. `known` is the last receipt of this sink, or null: of what was derived
  /// from an image it alone has the digest.
  [[nodiscard]] virtual Result<std::optional<flow::Receipt>> find(flow::Want const& want, flow::Receipt const* known,
                                                                  std::stop_token const& stop) = 0;

  /// Makes the image there, of an artefact that may still be arriving: unpacked and inspected on the way, whole digests
  /// compared, and only then usable. Fault glance-busy: another host is at it; ask again soon.
  [[nodiscard]] virtual Result<flow::Receipt> put(flow::Want const& want, flow::Artefact const& artefact,
                                                  Progress const& progress, std::stop_token const& stop) = 0;

  /// Takes the image out of use, as the table "What ends trust" says, also what an unfinished `put` left. Nothing that
  /// does not carry our mark is touched.
  [[nodiscard]] virtual Result<flow::Retired> retire(flow::Want const& want, flow::Retirement why,
                                                     std::stop_token const& stop) = 0;

  /// Called every hour: what time alone brings about, for whatever image. Nothing that does not carry our mark is
  /// touched.
  [[nodiscard]] virtual Result<> tend(std::stop_token const&) { return {}; }

  /// Called once at start: removes what a crash left behind under temporary names.
  [[nodiscard]] virtual Result<> clean_up(std::stop_token const& stop) = 0;
};

/// `host` is written where another host may ask who is uploading. Faults: those of the sink's configuration.
[[nodiscard]] Result<std::unique_ptr<Sink>> make_glance_sink(flow::SinkSettings const& settings, std::string host);
[[nodiscard]] Result<std::unique_ptr<Sink>> make_directory_sink(flow::SinkSettings const& settings);
[[nodiscard]] Result<std::unique_ptr<Sink>> make_nova_cache_sink(flow::SinkSettings const& settings);
/// `directory` takes raw forms before they are written to a device, and what is known of the devices.
[[nodiscard]] Result<std::unique_ptr<Sink>> make_volume_sink(flow::SinkSettings const& settings,
                                                             std::filesystem::path directory);

}  // namespace imageswarm::sinks
