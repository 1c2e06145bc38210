#pragma once

#include "common/document/fields.hpp"
#include "common/document/model.hpp"

namespace imageswarm::document {

/// The keys that every kind has. Faults: kind-mismatch, doc-format, doc-field, serial-range; kind and format come
/// first, since what follows is only known for the right ones.
[[nodiscard]] Result<Header> read_header(yaml::Value const& top, Fields& fields, Kind expected);

/// The same as members, in the order in which they are written.
yaml::Value::Map members_of(Header const& header);

}  // namespace imageswarm::document
