#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "indexer/commands/context.hpp"

namespace imageswarm::commands {

/// The keys of a rule as the person gave them; empty = not given.
struct RuleOptions {
  std::string endorser, issuer, uuid, image_id, name, vo_tag, reason;
  bool all = false;
};

/// Makes an empty approval list that waits to be filled and signed. Faults: exists, usage, disk faults.
[[nodiscard]] Result<> approvals_init(std::filesystem::path const& list, std::string const& name, Context& context);

enum class Verdict : std::uint8_t { approve, recall, remove };

/// Puts the rule among the approved or the recalled ones and takes it out of the others; `remove` only takes it out.
/// A rule is the same when all keys but `reason` are. Faults: usage, not-found, doc-…, disk faults.
[[nodiscard]] Result<> approvals_change(std::filesystem::path const& list, Verdict verdict, RuleOptions const& options,
                                        Context& context);

[[nodiscard]] Result<> approvals_show(std::filesystem::path const& list, Context& context);

}  // namespace imageswarm::commands
