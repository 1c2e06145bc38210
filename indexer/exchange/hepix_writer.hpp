#pragma once

#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/document/model.hpp"
#include "common/trust/identity.hpp"

namespace imageswarm::exchange {

/// What a HEPiX list says beside its images.
struct HepixHead {
  std::string title, contact;
  std::string endorser;   ///< real name
  std::string base_url;   ///< of the published directory; ends in '/'
  std::string file_name;  ///< of the list in it
  trust::Signer signer;
  TimePoint created, expires;
};

/// The payload of a HEPiX image list, with every field that hepixvmitrust, cloudkeeper or atrope demand. The artefact
/// of each image must be the image itself: the format has no word for a packed one. ASCII alone.
std::string write_hepix(HepixHead const& head, std::vector<document::Image> const& images);

}  // namespace imageswarm::exchange
