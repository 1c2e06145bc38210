#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/units.hpp"

namespace imageswarm {

/// Owns a file descriptor.
class UniqueFd {
public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_{fd} {}
  UniqueFd(UniqueFd&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset();

private:
  int fd_ = -1;
};

/// An Error from `errno` about a path: disk-full, permission, not-found, exists or disk-error.
Error errno_error(int number, std::string_view doing, std::filesystem::path const& path);

/// Opens for reading, close-on-exec, never through a symbolic link at the last step.
[[nodiscard]] Result<UniqueFd> open_regular(std::filesystem::path const& path);

/// Size of an open file.
[[nodiscard]] Result<ByteCount> size_of(UniqueFd const& fd);

/// The whole file, at most `most` bytes. Faults: not-found, permission, too-large, disk-error.
[[nodiscard]] Result<std::string> read_file(std::filesystem::path const& path, ByteCount most);

/// Writes all of it at the current offset, whatever the kernel takes at a time.
[[nodiscard]] Result<> write_all(int fd, std::span<std::byte const> data, std::filesystem::path const& path);

/// Complete or not there: temporary file in the same directory, fsync, rename, fsync of the directory.
///
/// The temporary name is "." + name + ".XXXXXX.tmp"; `remove_temporaries` finds what a crash left behind.
[[nodiscard]] Result<> write_file_atomically(std::filesystem::path const& path, std::string_view content,
                                             std::uint32_t mode = 0644);

/// fsync of `from`, rename to `to` and fsync of the directory: afterwards `to` survives a power cut.
[[nodiscard]] Result<> move_into_place(std::filesystem::path const& from, std::filesystem::path const& to);

/// The entries of a directory; none for a missing one. Faults: permission, disk-error.
[[nodiscard]] Result<std::vector<std::filesystem::path>> list_directory(std::filesystem::path const& directory);

/// Removes files that end in ".tmp" and begin with "." directly in `directory`; a missing directory is fine.
[[nodiscard]] Result<> remove_temporaries(std::filesystem::path const& directory);

/// Removes a file; one that is not there is fine.
[[nodiscard]] Result<> remove_file(std::filesystem::path const& path);

/// Makes the directory and those above it with this mode.
[[nodiscard]] Result<> make_directories(std::filesystem::path const& path, std::uint32_t mode = 0755);

/// Bytes that this process may still write where `path` lies.
[[nodiscard]] Result<ByteCount> free_space(std::filesystem::path const& path);

}  // namespace imageswarm
