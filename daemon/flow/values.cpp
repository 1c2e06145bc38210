#include "daemon/flow/values.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "common/base/text.hpp"

namespace imageswarm::flow {

Result<VerifiedArtefact> verify_artefact(std::filesystem::path const& path, document::Image const& image,
                                         std::stop_token const& stop) {
  auto fd = open_regular(path);
  if (!fd) return fail(std::move(fd.error()));
  auto const& promised = image.torrent;
  auto const size = size_of(*fd);
  if (!size) return fail(size.error());
  if (*size != promised.content_size) {
    return fail(Fault::hash_mismatch, "{}: {} bytes instead of the {} that were signed", printable(path.native()),
                size->value, promised.content_size.value);
  }
  Hasher<Sha256> hasher;
  std::vector<std::byte> buffer((1_MiB).value);
  for (std::uint64_t at = 0;;) {
    if (stop.stop_requested()) return fail(Fault::cancelled, "reading {}: stopped", printable(path.native()));
    auto const count = ::pread(fd->get(), buffer.data(), buffer.size(), static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, "reading", path));
    if (count == 0) break;
    hasher.update(std::span{buffer}.first(static_cast<std::size_t>(count)));
    at += static_cast<std::uint64_t>(count);
  }
  if (auto const digest = hasher.finish(); digest != promised.content_sha256) {
    return fail(Fault::hash_mismatch, "{}: SHA-256 is {}, signed was {}", printable(path.native()), digest.hex(),
                promised.content_sha256.hex());
  }
  return VerifiedArtefact{std::make_shared<UniqueFd>(std::move(*fd)), image};
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
