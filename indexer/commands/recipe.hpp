#pragma once

#include <filesystem>

#include "indexer/commands/add.hpp"
#include "indexer/ingest/packer.hpp"

namespace imageswarm::commands {

/// How the image becomes an artefact, by the options, the versions before it and the `content` bytes of its file.
/// Faults: usage, disk faults.
[[nodiscard]] Result<ingest::Recipe> recipe_for(AddOptions const& options, document::Image const& image,
                                                UniqueFd const& file, ByteCount content, store::Store const& store,
                                                Context& context);

/// The newest version of the family that has chunks: most of them will be the same. Withdrawn ones lose theirs.
std::filesystem::path chunks_before(store::Store const& store, Uuid const& family);

}  // namespace imageswarm::commands
