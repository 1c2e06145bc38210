#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/image/content.hpp"
#include "common/image/inspect.hpp"
#include "common/image/ovf.hpp"
#include "common/image/tar.hpp"

namespace imageswarm::image {

/// A disk of an appliance: a member of the archive that a Disk of the OVF refers to.
struct ApplianceDisk {
  Member member;
  Inspection inspection;
};

/// A virtual appliance in one file, judged safe (DMTF DSP0243): where its parts are, and what its OVF says.
struct Appliance {
  Member ovf;
  std::optional<Member> manifest, certificate;
  std::string digest_algorithm;  ///< of the manifest; empty without one
  std::vector<Member> files;     ///< what the OVF refers to, in the order of the archive
  std::vector<ApplianceDisk> disks;
  std::vector<OvfProduct> products;
  std::vector<OvfProperty> properties;
};

/// Reads an OVA in place: a plain archive that begins with its OVF and holds the files that this names, each of them
/// once, of its size, and judged like an image of its own; and perhaps a manifest, which then fits, and the certificate
/// of one, which is not looked at. Faults: image-…, and those of reading the content.
[[nodiscard]] Result<Appliance> read_ova(Content& content);

/// What Glance is told of an appliance: the format of its first disk, the size of its largest.
Inspection summary_of(Appliance const& appliance);

}  // namespace imageswarm::image
