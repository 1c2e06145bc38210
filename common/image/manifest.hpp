#pragma once

#include <span>
#include <string_view>

#include "common/base/result.hpp"
#include "common/image/content.hpp"
#include "common/image/tar.hpp"

namespace imageswarm::image {

/// Loads the hash functions, for which OpenSSL makes system calls that a sandbox does not allow.
void load_digests();

/// Compares the manifest of an appliance (DSP0243 §5.1) with the files that it must list, all of them and no other.
/// Reads them all. Faults: image-manifest, and those of reading the content.
[[nodiscard]] Result<> check_manifest(std::string_view manifest, std::span<Member const> files, Content& content);

}  // namespace imageswarm::image
