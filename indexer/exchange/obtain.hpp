#pragma once

#include <filesystem>

#include "common/base/result.hpp"
#include "indexer/exchange/foreign.hpp"
#include "indexer/ingest/temporary.hpp"

namespace imageswarm::exchange {

/// The image's file, copied from below `content` or, if that is empty, fetched from its URL, into a temporary file of
/// `directory`; its size and the digests that its list names have been compared. Shows its progress; blocks.
/// Faults: hash-mismatch, too-large, too-slow, http-…, disk faults, cancelled.
[[nodiscard]] Result<ingest::TemporaryFile> obtain(ForeignImage const& image, std::filesystem::path const& content,
                                                   std::filesystem::path const& directory);

}  // namespace imageswarm::exchange
