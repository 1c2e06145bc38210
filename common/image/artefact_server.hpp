#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <thread>

#include "common/base/file.hpp"
#include "common/base/result.hpp"
#include "common/base/units.hpp"

namespace imageswarm::image {

/// Fills `out` from this offset of an artefact; may block until that is here, but not once stopped.
using ArtefactReader =
    std::function<Result<>(std::uint64_t offset, std::span<std::byte> out, std::stop_token const& stop)>;

/// Hands an artefact that is not one file, or is still arriving, to the helper: through a socket (protocol.hpp), on a
/// thread of its own.
class ArtefactServer {
public:
  /// Fault: internal.
  [[nodiscard]] static Result<std::unique_ptr<ArtefactServer>> start(ArtefactReader read, ByteCount size);
  ArtefactServer(ArtefactServer const&) = delete;
  ArtefactServer& operator=(ArtefactServer const&) = delete;
  ~ArtefactServer();

  /// The helper's end.
  UniqueFd const& descriptor() const { return theirs_; }
  /// Serves no longer. The fault is what reading had failed with by then.
  [[nodiscard]] Result<> finish();

private:
  ArtefactServer(UniqueFd ours, UniqueFd theirs) : ours_{std::move(ours)}, theirs_{std::move(theirs)} {}
  Result<> serve(ArtefactReader const& read, ByteCount size, std::stop_token const& stop);

  UniqueFd ours_, theirs_;
  Result<> outcome_;  ///< of the thread, once it has ended
  std::jthread thread_;
};

}  // namespace imageswarm::image
