#pragma once

#include <filesystem>
#include <utility>

#include "common/base/file.hpp"
#include "common/base/result.hpp"

namespace imageswarm::ingest {

/// A file that has no name yet that counts: removed again unless it is moved into place.
class TemporaryFile {
public:
  /// In `directory`, with a name that `remove_temporaries` knows. Faults: disk faults.
  [[nodiscard]] static Result<TemporaryFile> create(std::filesystem::path const& directory);
  TemporaryFile(TemporaryFile&& other) noexcept;
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile();

  int fd() const { return fd_.get(); }
  std::filesystem::path const& path() const { return path_; }
  /// Complete and durable under its name, readable for everybody.
  [[nodiscard]] Result<> move_to(std::filesystem::path const& name);

private:
  TemporaryFile(UniqueFd fd, std::filesystem::path path) : fd_{std::move(fd)}, path_{std::move(path)} {}
  UniqueFd fd_;
  std::filesystem::path path_;  ///< empty once moved
};

/// The same for a directory with all that it holds; nobody else may look into it before.
class TemporaryDirectory {
public:
  /// In `directory`, with a name that the store knows when it cleans up. Faults: disk faults.
  [[nodiscard]] static Result<TemporaryDirectory> create(std::filesystem::path const& directory);
  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_{std::exchange(other.path_, {})} {}
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory();

  std::filesystem::path const& path() const { return path_; }
  /// Complete and durable under its name.
  [[nodiscard]] Result<> move_to(std::filesystem::path const& name);

private:
  explicit TemporaryDirectory(std::filesystem::path path) : path_{std::move(path)} {}
  std::filesystem::path path_;  ///< empty once moved
};

}  // namespace imageswarm::ingest
