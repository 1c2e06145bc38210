#pragma once

#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/document/model.hpp"

namespace imageswarm::exchange {

// Words of other formats in ours (docs/formats.md, "Other formats").

/// A name that an image may have: what does not fit becomes '-'. "image" if nothing is left.
std::string image_name_of(std::string_view title);

/// The runs of digits, with dots between: "2026.01-3rc1" is 2026.01.3.1. Fault: import-field (no digit).
[[nodiscard]] Result<document::Version> version_of(std::string_view text);

/// The machine's name in Glance: "amd64" is x86_64, "i386" is i686.
std::string architecture_of(std::string_view name);

/// Glance's os_distro: in lower case, without blanks.
std::string distribution_of(std::string_view name);

/// Text that an entry may have: control characters become blanks, what cannot be shown is written as bytes.
std::string plain_text(std::string_view text);

/// "Sat, 10 Jan 2026 08:00:00 +0000" (RFC 5322 §3.3). Fault: doc-field.
[[nodiscard]] Result<TimePoint> parse_mail_time(std::string_view text);

}  // namespace imageswarm::exchange
