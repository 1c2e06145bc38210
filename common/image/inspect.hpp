#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "common/base/file.hpp"
#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/document/model.hpp"
#include "common/image/artefact_server.hpp"
#include "common/image/ova_order.hpp"

namespace imageswarm::image {

/// What the first sector of a raw disk says; nobody looks for it in other formats.
enum class Partitions : std::uint8_t {
  unknown,
  some,
  none,                 ///< and no boot signature either
  boot_signature_only,  ///< Glance since 33 refuses such a raw image
};

/// What the inspector found: the one format that matches (raw means that none did), judged safe.
struct Inspection {
  std::string disk_format;       ///< Glance's word
  std::string container_format;  ///< likewise: bare, or ova
  ByteCount virtual_size;        ///< of the disk that a guest sees; the largest of an appliance
  Partitions partitions = Partitions::unknown;
};

/// Glance's words for what is accepted at all.
inline constexpr std::array<std::string_view, 4> accepted_formats{"raw", "qcow2", "vmdk", "iso"};

inline constexpr std::array<std::string_view, 2> accepted_containers{"bare", "ova"};

/// Largest disk we accept.
inline constexpr ByteCount max_virtual_size{64ull << 40};

/// Judges an uncompressed image in a sandboxed helper process that sees only this descriptor (docs/security.md, "Images
/// and the sandbox"). The offset of `fd` is not used. Blocks; thread-safe.
/// Faults: image-…, inspector-crash, disk-error, internal (no sandbox), cancelled.
[[nodiscard]] Result<Inspection> inspect(UniqueFd const& fd, std::stop_token const& stop);

/// Takes the next bytes of the content, in order; an error stops the unpacking and is passed on.
using ContentSink = std::function<Result<>(std::span<std::byte const>)>;

/// What the catalogue signed about the content of an artefact.
struct ContentPromise {
  document::Compression compression = document::Compression::none;
  ByteCount content_size;
  std::string disk_format;
  std::string container_format = "bare";
};

/// Streams the content of an artefact out of the sandboxed helper, which unpacks it and judges it as `inspect` does.
///
/// The inspector's verdict on the image header comes before the first byte reaches `sink`. The size is exact: a stream
/// that ends early, goes on past `content_size`, has trailing bytes or a wrong checksum fails. `sink` runs on the
/// calling thread. Digests are the caller's. Blocks; thread-safe.
/// Faults: image-…, bomb, inspector-crash, disk-error, internal (no sandbox), cancelled, and those of `sink`.
[[nodiscard]] Result<Inspection> unpack(UniqueFd const& artefact, ContentPromise const& promise,
                                        ContentSink const& sink, std::stop_token const& stop);

/// The same for an artefact that is not one file, or not all of it here yet: the helper gets its `size` bytes by asking
/// `read`, which runs on a thread of its own and may block for ten minutes; where nothing is packed, `read` runs on the
/// calling thread too, at the same time. Further faults: those of `read`.
[[nodiscard]] Result<Inspection> unpack(ArtefactReader const& read, ByteCount size, ContentPromise const& promise,
                                        ContentSink const& sink, std::stop_token const& stop);

/// Streams what the order makes of an appliance out of the helper, which unpacks and judges the appliance first. The
/// result describes what came out: an OVA, or a disk. `sink` gets the same bytes for the same appliance and order; the
/// next who hands them on judges them again. The digest of the artefact is the caller's.
/// Faults: those of `unpack`; image-ovf also for a value that does not fit.
[[nodiscard]] Result<Inspection> derive(UniqueFd const& artefact, ContentPromise const& promise, OvaOrder const& order,
                                        ContentSink const& sink, std::stop_token const& stop);
[[nodiscard]] Result<Inspection> derive(ArtefactReader const& read, ByteCount size, ContentPromise const& promise,
                                        OvaOrder const& order, ContentSink const& sink, std::stop_token const& stop);

/// Takes bytes of a disk, in ascending order; what is left out is zeros.
using DiskSink = std::function<Result<>(std::uint64_t offset, std::span<std::byte const>)>;

/// Streams the disk that a guest sees out of the content of an image, unpacked, that is not raw itself: of a qcow2. It
/// is judged as by `inspect`, in the same helper, and then `room` is asked whether there is room for as many bytes as
/// `sink` will get at most. Both run on the calling thread. Blocks; thread-safe.
/// Faults: image-…, inspector-crash, disk-error, internal (no sandbox), cancelled, and those of `room` and `sink`.
[[nodiscard]] Result<Inspection> read_disk(UniqueFd const& content, ContentPromise const& promise,
                                           std::function<Result<>(ByteCount)> const& room, DiskSink const& sink,
                                           std::stop_token const& stop);

}  // namespace imageswarm::image
