#pragma once

#include <string>

#include "common/base/result.hpp"
#include "common/image/inspect.hpp"
#include "common/image/ova.hpp"
#include "common/image/ova_order.hpp"

namespace imageswarm::image {

/// What an order makes of an appliance: a new archive, the same to the byte whenever it is made again, or the disk.
///
/// The archive holds the OVF with the values of the order, the files of the order, those of the old one as they are and
/// in their order, and a manifest (with the hash function of the old one, or SHA-256) at the end, where DSP0243 wants
/// it when an archive is made in one go. The certificate of the old manifest would be wrong, and is left out.
class OvaDerivation {
public:
  /// Judges the appliance and what shall become of it. `content` must outlive this.
  /// Faults: those of read_ova and of rewrite_ovf; image-ovf: its disk is wanted, and it has several.
  [[nodiscard]] static Result<OvaDerivation> prepare(Content& content, OvaOrder order);

  Inspection const& result() const { return result_; }
  /// Faults: those of reading, those of `sink`.
  [[nodiscard]] Result<> write(ContentSink const& sink) const;

private:
  OvaDerivation(Content& content, OvaOrder order, Appliance appliance, std::string ovf, Inspection result)
      : content_{&content},
        order_{std::move(order)},
        appliance_{std::move(appliance)},
        ovf_{std::move(ovf)},
        result_{std::move(result)} {}
  Result<> write_archive(ContentSink const& sink) const;

  Content* content_;
  OvaOrder order_;
  Appliance appliance_;
  std::string ovf_;
  Inspection result_;
};

}  // namespace imageswarm::image
