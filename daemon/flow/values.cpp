#include "daemon/flow/values.hpp"

#include <unistd.h>

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

std::string_view name_of(Retirement why) {
  switch (why) {
    case Retirement::expired:
      return "expired";
    case Retirement::withdrawn:
      return "withdrawn";
    case Retirement::not_approved:
      return "not-approved";
    case Retirement::recalled:
      return "recalled";
    case Retirement::superseded:
      return "superseded";
  }
  return "";
}

}  // namespace imageswarm::flow
