#include "daemon/flow/values.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "common/base/text.hpp"

namespace imageswarm::flow {

namespace {

Result<> compare_size(ByteCount size, std::filesystem::path const& path, document::Torrent const& promised) {
  if (size == promised.content_size) return {};
  return fail(Fault::hash_mismatch, "{}: {} bytes instead of the {} that were signed", printable(path.native()),
              size.value, promised.content_size.value);
}

Result<> compare_digest(Sha256 const& digest, std::filesystem::path const& path, document::Torrent const& promised) {
  if (digest == promised.content_sha256) return {};
  return fail(Fault::hash_mismatch, "{}: SHA-256 is {}, signed was {}", printable(path.native()), digest.hex(),
              promised.content_sha256.hex());
}

Result<Sha256> digest_of_file(UniqueFd const& fd, std::filesystem::path const& path, std::stop_token const& stop) {
  Hasher<Sha256> hasher;
  std::vector<std::byte> buffer((1_MiB).value);
  for (std::uint64_t at = 0;;) {
    if (stop.stop_requested()) return fail(Fault::cancelled, "reading {}: stopped", printable(path.native()));
    auto const count = ::pread(fd.get(), buffer.data(), buffer.size(), static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, "reading", path));
    if (count == 0) return hasher.finish();
    hasher.update(std::span{buffer}.first(static_cast<std::size_t>(count)));
    at += static_cast<std::uint64_t>(count);
  }
}

Result<Sha256> digest_of_chunks(ChunkFiles const& chunks, std::stop_token const& stop) {
  Hasher<Sha256> hasher;
  auto const read = chunks.read_all([&hasher](std::span<std::byte const> data) { hasher.update(data); }, stop);
  return read.map([&hasher] { return hasher.finish(); });
}

}  // namespace

Result<VerifiedArtefact> verify_artefact(std::filesystem::path const& path, document::Image const& image,
                                         std::stop_token const& stop) {
  auto const& promised = image.torrent;
  std::shared_ptr<UniqueFd const> fd;
  std::shared_ptr<ChunkFiles const> chunks;
  ByteCount size;
  if (promised.chunks) {
    auto opened = ChunkFiles::open(path, *promised.chunks);
    if (!opened) return fail(std::move(opened.error()));
    size = opened->size();
    chunks = std::make_shared<ChunkFiles const>(std::move(*opened));
  } else {
    auto opened = open_regular(path);
    if (!opened) return fail(std::move(opened.error()));
    auto const known = size_of(*opened);
    if (!known) return fail(known.error());
    size = *known;
    fd = std::make_shared<UniqueFd const>(std::move(*opened));
  }
  if (auto same = compare_size(size, path, promised); !same) return fail(std::move(same.error()));
  auto const digest = chunks ? digest_of_chunks(*chunks, stop) : digest_of_file(*fd, path, stop);
  if (!digest) return fail(digest.error());
  if (auto same = compare_digest(*digest, path, promised); !same) return fail(std::move(same.error()));
  return VerifiedArtefact{std::move(fd), std::move(chunks), image};
}

namespace {

// In the order of the enumerations.
constexpr std::array<std::string_view, 5> retirements{"expired", "withdrawn", "not-approved", "recalled", "superseded"};
constexpr std::array<std::string_view, 5> effects{"absent", "removed", "hidden", "deactivated", "in-use"};

template <class T>
std::optional<T> named(std::array<std::string_view, 5> const& names, std::string_view name) {
  auto const found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<T>(found - names.begin());
}

}  // namespace

std::string_view name_of(Retirement why) {
  return retirements.at(static_cast<std::size_t>(why));
}

std::optional<Retirement> retirement_of(std::string_view name) {
  return named<Retirement>(retirements, name);
}

std::string_view name_of(Effect effect) {
  return effects.at(static_cast<std::size_t>(effect));
}

std::optional<Effect> effect_of(std::string_view name) {
  return named<Effect>(effects, name);
}

}  // namespace imageswarm::flow
