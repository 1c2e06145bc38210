#include "daemon/appliance/derive.hpp"

#include <fcntl.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "common/base/file.hpp"

namespace imageswarm::appliance {
namespace {

Result<image::Inspection> stream(flow::VerifiedArtefact const& artefact, image::OvaOrder const& order,
                                 image::ContentSink const& sink, std::stop_token const& stop) {
  auto const& promised = artefact.image();
  image::ContentPromise const promise{.compression = promised.torrent.compression,
                                      .content_size = promised.content_size,
                                      .disk_format = promised.disk_format,
                                      .container_format = promised.container_format};
  if (!artefact.chunks()) return image::derive(artefact.fd(), promise, order, sink, stop);
  auto const reader = std::make_shared<flow::ChunkFiles::Reader>(*artefact.chunks());
  auto const read = [reader](std::uint64_t offset, std::span<std::byte> out, std::stop_token const&) {
    return reader->read(offset, out);
  };
  return image::derive(read, artefact.chunks()->size(), promise, order, sink, stop);
}

Result<> check_room(ByteCount needed, std::filesystem::path const& folder) {
  auto const room = free_space(folder);
  if (!room) return fail(room.error());
  if (*room >= needed) return {};
  return fail(Fault::disk_full, "{} are free in {}, and {} are needed to make the appliance; free some space",
              human(*room), folder.native(), human(needed));
}

}  // namespace

flow::Want derived_want(flow::Want const& source, std::string name, Made const& made) {
  auto want = source;
  auto& image = want.image;
  want.derived_from = source.image.image_id;
  image.uuid = source.image.image_id;
  image.image_id = document::image_id_of(image.uuid, made.sha256);
  image.name = std::move(name);
  image.disk_format = made.inspection.disk_format;
  image.container_format = made.inspection.container_format;
  image.content_size = made.size;
  image.content_sha256 = made.sha256;
  image.content_sha512 = made.sha512;
  image.ovf_properties.clear();
  auto& torrent = image.torrent;
  torrent.chunks.reset();
  torrent.ssl = false;
  torrent.content_name = image.name;
  torrent.content_size = made.size;
  torrent.content_sha256 = made.sha256;
  torrent.compression = document::Compression::none;
  return want;
}

Result<Made> derive(flow::VerifiedArtefact const& artefact, image::OvaOrder const& order,
                    std::filesystem::path const& file, std::function<void(ByteCount)> const& progress,
                    std::stop_token const& stop) {
  if (auto const made = make_directories(file.parent_path()); !made) return fail(made.error());
  if (auto const room = check_room(artefact.image().content_size, file.parent_path()); !room) return fail(room.error());
  if (auto const removed = remove_file(file); !removed) return fail(removed.error());
  UniqueFd const fd{::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!fd) return fail(errno_error(errno, "making", file));
  Made made;
  Hasher<Sha256> sha256;
  Hasher<Sha512> sha512;
  auto const write = [&](std::span<std::byte const> piece) -> Result<> {
    sha256.update(piece);
    sha512.update(piece);
    made.size += {piece.size()};
    progress(made.size);
    return write_all(fd.get(), piece, file);
  };
  auto inspection = stream(artefact, order, write, stop);
  if (!inspection) return fail(inspection.error());
  made.inspection = std::move(*inspection);
  made.sha256 = sha256.finish();
  made.sha512 = sha512.finish();
  return made;
}

}  // namespace imageswarm::appliance
