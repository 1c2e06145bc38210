#pragma once

#include <string>
#include <string_view>

#include "common/document/model.hpp"
#include "common/trust/identity.hpp"

namespace imageswarm::store {

/// The catalogue as a page for people: `catalogue.html`. No script, nothing loaded from elsewhere.
std::string catalogue_page(document::Catalogue const& catalogue, trust::Signer const& signer);

/// `text` as HTML text or in a quoted attribute.
std::string html(std::string_view text);

}  // namespace imageswarm::store
