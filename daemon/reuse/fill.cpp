#include "daemon/reuse/fill.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <span>
#include <utility>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "common/base/zeros.hpp"

namespace imageswarm::reuse {
namespace {

using torrent::HashedFile;

/// Zeros within a piece become holes in steps of this size: finer ones would cost more calls than they save blocks.
constexpr auto hole_size = 64_KiB;

/// Is there nothing but a hole? If the file system does not say, no.
bool hole_in(UniqueFd const& fd, off_t begin, ByteCount length) {
  auto const data = ::lseek(fd.get(), begin, SEEK_DATA);
  return data < 0 ? errno == ENXIO : data >= begin + static_cast<off_t>(length.value);
}

/// Fills `buffer` from the file; false if it cannot be read or ends before.
bool read_at(UniqueFd const& fd, std::span<std::byte> buffer, off_t at) {
  while (!buffer.empty()) {
    auto const count = ::pread(fd.get(), buffer.data(), buffer.size(), at);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    buffer = buffer.subspan(static_cast<std::size_t>(count));
    at += count;
  }
  return true;
}

/// The sources, each opened when it is first needed; one that cannot be opened has nothing.
class OpenSources {
public:
  explicit OpenSources(std::vector<Source> const& sources) : sources_{sources} {}

  /// Null if it cannot be opened. Only the last one stays open: neighbours in the target are mostly neighbours there.
  UniqueFd const* operator[](std::size_t index) {
    if (std::exchange(last_, index) != index) {
      auto opened = open_regular(sources_[index].path);
      fd_ = opened ? std::move(*opened) : UniqueFd{};
    }
    return fd_ ? &fd_ : nullptr;
  }

private:
  std::vector<Source> const& sources_;
  std::optional<std::size_t> last_;
  UniqueFd fd_;
};

/// One file of the artefact while it is filled.
class Target {
public:
  Target(UniqueFd fd, std::filesystem::path path, HashedFile const& file, ByteCount piece_length)
      : fd_{std::move(fd)}, path_{std::move(path)}, file_{file}, piece_length_{piece_length} {}

  [[nodiscard]] static Result<Target> open(std::filesystem::path path, HashedFile const& file, ByteCount piece_length) {
    if (auto made = make_directories(path.parent_path()); !made) return fail(std::move(made.error()));
    UniqueFd fd{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644)};
    if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(file.size.value)) != 0) {
      return fail(errno_error(errno, "making", path));
    }
    return Target{std::move(fd), std::move(path), file, piece_length};
  }

  ByteCount length_of(std::size_t piece) const { return file_.length_of(piece, piece_length_); }

  /// Is the piece there already, as a hole or from an interrupted run?
  bool has(std::size_t piece) {
    if (is_hole(piece)) return file_.pieces[piece] == hash_of_hole(length_of(piece));
    return is_right(piece);
  }

  /// Takes it from a source. False if that has other bytes there by now, or none.
  [[nodiscard]] Result<bool> take(std::size_t piece, UniqueFd const& source, ByteCount offset) {
    if (shares(piece, source, offset)) return is_right(piece);
    auto const bytes = buffer(piece);
    if (!read_at(source, bytes, static_cast<off_t>(offset.value)) || !matches(piece, bytes)) return false;
    bool const onto_hole = is_hole(piece);
    auto at = offset_of(piece);
    for (std::span<std::byte const> rest = bytes; !rest.empty();) {
      auto const block = rest.first(std::min<std::size_t>(rest.size(), hole_size.value));
      if (!onto_hole || !all_zeros(block)) {
        if (::lseek(fd_.get(), at, SEEK_SET) < 0) return fail(errno_error(errno, "writing", path_));
        if (auto written = write_all(fd_.get(), block, path_); !written) return fail(std::move(written.error()));
      }
      at += static_cast<off_t>(block.size());
      rest = rest.subspan(block.size());
    }
    return true;
  }

private:
  ByteCount begin_of(std::size_t piece) const { return {piece * piece_length_.value}; }
  off_t offset_of(std::size_t piece) const { return static_cast<off_t>(begin_of(piece).value); }
  bool is_hole(std::size_t piece) const { return hole_in(fd_, offset_of(piece), length_of(piece)); }

  std::span<std::byte> buffer(std::size_t piece) {
    buffer_.resize(piece_length_.value);
    return std::span{buffer_}.first(length_of(piece).value);
  }

  bool matches(std::size_t piece, std::span<std::byte const> bytes) const {
    return torrent::hash_of_piece(bytes, file_, piece_length_) == file_.pieces[piece];
  }

  bool is_right(std::size_t piece) {
    auto const bytes = buffer(piece);
    return read_at(fd_, bytes, offset_of(piece)) && matches(piece, bytes);
  }

  Sha256 const& hash_of_hole(ByteCount length) {
    if (std::exchange(hole_, length) != length) hole_hash_ = torrent::hash_of_zeros(length, file_, piece_length_);
    return hole_hash_;
  }

  /// Shares the blocks of the source, which most file systems cannot.
  bool shares(std::size_t piece, UniqueFd const& source, ByteCount offset) const {
    file_clone_range const range{.src_fd = source.get(),
                                 .src_offset = offset.value,
                                 .src_length = length_of(piece).value,
                                 .dest_offset = begin_of(piece).value};
    return ::ioctl(fd_.get(), FICLONERANGE, &range) == 0;
  }

  UniqueFd fd_;
  std::filesystem::path path_;
  HashedFile const& file_;
  ByteCount piece_length_;
  std::vector<std::byte> buffer_;
  ByteCount hole_;  ///< the length that `hole_hash_` is of
  Sha256 hole_hash_;
};

}  // namespace

Result<Filled> fill(std::filesystem::path const& directory, torrent::PieceHashes const& wanted,
                    std::vector<Source> const& sources, std::stop_token const& stop) {
  auto const places = places_of(wanted, sources);
  OpenSources open_sources{sources};
  Filled filled;
  for (auto const& file : wanted.files) {
    auto target = Target::open(directory / file.name, file, wanted.piece_length);
    if (!target) return fail(std::move(target.error()));
    for (std::size_t piece = 0; piece < file.pieces.size(); ++piece) {
      if (stop.stop_requested()) return fail(Fault::cancelled, "filling {}: stopped", printable(file.name));
      auto const& place = places[filled.pieces.size()];
      Result<bool> here = target->has(piece);
      if (!*here && place) {
        if (auto const* source = open_sources[place->source]) here = target->take(piece, *source, place->offset);
      }
      if (!here) return fail(std::move(here.error()));
      filled.pieces.push_back(*here);
      if (*here) filled.bytes += target->length_of(piece);
    }
  }
  return filled;
}

}  // namespace imageswarm::reuse
