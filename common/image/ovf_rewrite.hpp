#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/image/ova_order.hpp"

namespace imageswarm::image {

/// The description of an appliance with the values and the files of an order; every byte that these do not concern
/// stays as it was.
///
/// A property is named [class.]key[.instance]; what stands in brackets may be left out where one property alone is
/// meant. A value takes the place of `ovf:value` and of that in each `Value` for a configuration. Where
/// `userConfigurable` is not true, only the endorser's value is taken. Fault image-ovf: also where there is no such
/// property or several, and where a value may not be set or does not fit.
[[nodiscard]] Result<std::string> rewrite_ovf(std::string_view xml, OvaOrder const& order);

}  // namespace imageswarm::image
