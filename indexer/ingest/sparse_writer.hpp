#pragma once

#include <span>

#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "indexer/ingest/temporary.hpp"

namespace imageswarm::ingest {

/// Fills an empty file from its start; blocks of zeros become holes. The file outlives it.
class SparseWriter {
public:
  explicit SparseWriter(TemporaryFile const& file) : file_{file} {}

  /// Faults: disk faults.
  [[nodiscard]] Result<> write(std::span<std::byte const> data);
  /// After the last bytes: holes at the end count, too.
  [[nodiscard]] Result<> finish();
  ByteCount size() const { return size_; }

private:
  TemporaryFile const& file_;
  ByteCount size_;
};

}  // namespace imageswarm::ingest
