#pragma once

#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

// An OVF as XML: names by their namespace, whatever the prefix. Nobody but ovf.cpp and ovf_rewrite.cpp includes this.

namespace imageswarm::image {

/// "the OVF WHY WHAT". Fault: image-ovf.
tl::unexpected<Error> refuse_ovf(std::string_view why, std::string_view what = "");

/// Is it the element `word` of OVF 1 or 2?
bool is_element(pugi::xml_node const& node, std::string_view word);
/// The attribute `word` of OVF 1 or 2, or none.
pugi::xml_attribute attribute_node(pugi::xml_node const& node, std::string_view word);
std::optional<std::string> attribute(pugi::xml_node const& node, std::string_view word);

/// Parses it, and refuses what two readers may understand in two ways. Fault: image-ovf.
[[nodiscard]] Result<> load_ovf(std::string_view xml, pugi::xml_document& document);

}  // namespace imageswarm::image
