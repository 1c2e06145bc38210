#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

#include "common/base/digest.hpp"
#include "common/image/inspect.hpp"
#include "daemon/flow/artefact.hpp"
#include "daemon/flow/values.hpp"

namespace imageswarm::appliance {

/// What came out of the helper.
struct Made {
  image::Inspection inspection;
  ByteCount size;
  Sha256 sha256;
  Sha512 sha512;
};

/// The want of an image that was made here of another: with its own digests and ID, in the family of all that was made
/// of that one, and on the word of those who stand behind that one. Pure.
flow::Want derived_want(flow::Want const& source, std::string name, Made const& made);

/// Makes what the order says of an appliance and writes it to `file`, anew, in a folder that is made where it is
/// missing. Blocks. Faults: those of image::derive, disk faults.
[[nodiscard]] Result<Made> derive(flow::VerifiedArtefact const& artefact, image::OvaOrder const& order,
                                  std::filesystem::path const& file, std::function<void(ByteCount)> const& progress,
                                  std::stop_token const& stop);

}  // namespace imageswarm::appliance
