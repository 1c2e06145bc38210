#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "common/trust/sign.hpp"
#include "indexer/commands/context.hpp"

namespace imageswarm::commands {

/// Longest life of a document that we sign: after it a withheld update can no longer be hidden.
inline constexpr std::chrono::seconds longest_lifetime = std::chrono::days{90};

struct PublishOptions {
  std::string certificate;
  std::string key;
  std::chrono::seconds lifetime = std::chrono::days{28};
  std::optional<std::uint64_t> epoch;
};

/// Signs the endorsed images as the next serial and brings `public/` up to it.
/// Faults: usage (also a published image that is no longer endorsed), those of signing, of the torrent gate, of the
/// disk.
[[nodiscard]] Result<> publish(PublishOptions const& options, store::Store& store, Context& context);

/// The same with an identity that was loaded before.
[[nodiscard]] Result<> publish(PublishOptions const& options, trust::SigningIdentity const& identity,
                               store::Store& store, Context& context);

}  // namespace imageswarm::commands
