#pragma once

#include <filesystem>
#include <optional>

#include "common/base/digest.hpp"
#include "common/base/result.hpp"
#include "common/document/model.hpp"
#include "daemon/flow/values.hpp"

namespace imageswarm::sinks {

/// By what a device is known as ours: kept here, as nothing but the image may lie on the device.
struct VolumeMark {
  Uuid image_id;
  Sha256 family;  ///< of its family and endorser
  document::Version version;
  Sha256 head;  ///< of BlockDevice::head, once the image is on the device; until then that is zeros

  [[nodiscard]] static VolumeMark of(flow::Want const& want, Sha256 const& head);
};

/// One file for each device. Not thread-safe for one device: whoever writes has it open alone.
class VolumeMarks {
public:
  explicit VolumeMarks(std::filesystem::path directory) : directory_{std::move(directory)} {}

  /// Nothing if the device was never ours. Faults: state-corrupt, permission, disk-error.
  [[nodiscard]] Result<std::optional<VolumeMark>> read(std::filesystem::path const& device) const;
  [[nodiscard]] Result<> write(std::filesystem::path const& device, VolumeMark const& mark) const;
  [[nodiscard]] Result<> remove(std::filesystem::path const& device) const;

private:
  std::filesystem::path file_of(std::filesystem::path const& device) const;

  std::filesystem::path directory_;
};

}  // namespace imageswarm::sinks
