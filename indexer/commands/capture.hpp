#pragma once

#include "indexer/commands/add.hpp"
#include "indexer/ingest/temporary.hpp"

namespace imageswarm::commands {

/// An image that was read into the store, where no name counts yet, and how to add it.
struct Captured {
  ingest::TemporaryFile file;
  AddOptions options;
};

/// Reads `from_glance`, compares size and hash with the record, and takes what the record says for what the options do
/// not. Faults: usage, those of openstack::find_source and download, of exchange::read_record, disk faults, cancelled.
[[nodiscard]] Result<Captured> capture_from_glance(AddOptions const& options, store::Store const& store,
                                                   Context& context);

/// Reads `from_device`. A copy, since nothing would tell that a device was changed between judging and reading it.
/// Faults: those of ingest::open_unused, disk faults, cancelled.
[[nodiscard]] Result<Captured> capture_from_device(AddOptions const& options, store::Store const& store,
                                                   Context& context);

}  // namespace imageswarm::commands
