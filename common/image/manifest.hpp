#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "common/base/digest.hpp"
#include "common/base/result.hpp"
#include "common/image/content.hpp"
#include "common/image/tar.hpp"

namespace imageswarm::image {

/// Loads the hash functions, for which OpenSSL makes system calls that a sandbox does not allow.
void load_digests();

/// Hashes with a function that manifests know.
class ManifestHasher {
public:
  /// "SHA1", "SHA256" or "SHA512". Fault: image-manifest.
  [[nodiscard]] static Result<ManifestHasher> named(std::string_view algorithm);
  void update(std::span<std::byte const> data);
  std::string finish();  ///< lower-case hex

private:
  using Any = std::variant<Hasher<Sha1>, Hasher<Sha256>, Hasher<Sha512>>;
  explicit ManifestHasher(Any hasher) : hasher_{std::move(hasher)} {}
  Any hasher_;
};

/// The function in the first line of a manifest.
std::string algorithm_of(std::string_view manifest);

/// Compares the manifest of an appliance (DSP0243 §5.1) with the files that it must list, all of them and no other.
/// Reads them all. Faults: image-manifest, and those of reading the content.
[[nodiscard]] Result<> check_manifest(std::string_view manifest, std::span<Member const> files, Content& content);

}  // namespace imageswarm::image
