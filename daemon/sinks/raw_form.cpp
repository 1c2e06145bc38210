#include "daemon/sinks/raw_form.hpp"

#include <algorithm>
#include <array>

#include "common/base/text.hpp"
#include "common/image/inspect.hpp"
#include "daemon/sinks/content.hpp"
#include "daemon/sinks/fingerprint.hpp"

namespace imageswarm::sinks {
namespace {

using std::filesystem::path;

/// Every byte of the disk is hashed, its zeros, too, so a small file must not make hours of work.
constexpr ByteCount largest_converted{4ull << 40};

/// Is the content a file as it is?
bool is_plain(document::Image const& image) {
  return !image.torrent.chunks && image.torrent.compression == document::Compression::none;
}

Result<VerifiedContent> unpack_into(Draft& draft, flow::Artefact const& artefact, path const& directory,
                                    Sink::Progress const& progress, std::stop_token const& stop) {
  auto const needed = artefact.image().content_size + artefact.missing_on(directory);
  if (auto const room = check_room(directory, needed); !room) return fail(room.error());
  auto const append = [&](std::span<std::byte const> data) {
    auto written = draft.append(data);
    if (written && progress) progress(draft.size());
    return written;
  };
  return unpack_verified(artefact, append, stop);
}

Result<bool> can_share(flow::Artefact const& artefact, path const& final_path) {
  return Draft::make(final_path).map([&](Draft const& trial) { return artefact.can_share_with(trial.fd()); });
}

/// Blocks can be shared when all of them are here, which is worth waiting for.
Result<flow::Artefact> whole_if_shareable(flow::Artefact const& artefact, path const& final_path) {
  if (artefact.whole() || !is_plain(artefact.image())) return artefact;
  auto const shareable = can_share(artefact, final_path);
  if (!shareable) return fail(shareable.error());
  if (!*shareable) return artefact;
  return artefact.verified().map([](flow::VerifiedArtefact whole) { return flow::Artefact{std::move(whole)}; });
}

/// What was shared is verified where it lies now: nobody else can write to that.
Result<RawFile> copy(flow::Artefact const& artefact, path const& final_path, Sink::Progress const& progress,
                     std::stop_token const& stop) {
  auto const& image = artefact.image();
  auto draft = Draft::make(final_path);
  if (!draft) return fail(draft.error());
  auto const* const whole = artefact.whole();
  bool const is_shared = whole && is_plain(image) && draft->share(whole->fd(), image.content_size);
  auto content = is_shared ? verify_content(draft->fd(), *whole, stop)
                           : unpack_into(*draft, artefact, final_path.parent_path(), progress, stop);
  if (!content) return fail(content.error());
  return RawFile{
      std::move(*draft), std::move(*content), {image.content_sha256, image.content_sha512, image.content_size}};
}

/// Takes a disk extent by extent, and hashes it with its zeros.
class DiskWriter {
public:
  DiskWriter(Draft& draft, Sink::Progress const& progress, std::stop_token const& stop)
      : draft_{draft}, progress_{progress}, stop_{stop} {}

  Result<> write(std::uint64_t offset, std::span<std::byte const> data) {
    if (auto const skipped = skip_to(offset); !skipped) return skipped;
    hash(data);
    auto written = draft_.append(data);
    if (written && progress_) progress_(draft_.size());
    return written;
  }
  Result<RawForm> finish(ByteCount size) {
    return skip_to(size.value).map([&] { return RawForm{sha256_.finish(), sha512_.finish(), size}; });
  }

private:
  Result<> skip_to(std::uint64_t offset) {
    static constexpr std::array<std::byte, 64 << 10> zeros{};
    while (draft_.size().value < offset) {
      if (stop_.stop_requested()) return fail(Fault::cancelled, "making the raw form was stopped");
      auto const part = std::min<std::uint64_t>(zeros.size(), offset - draft_.size().value);
      hash(std::span{zeros}.first(part));
      draft_.append_hole({part});
    }
    return {};
  }
  void hash(std::span<std::byte const> data) {
    sha256_.update(data);
    sha512_.update(data);
  }

  Draft& draft_;
  Sink::Progress const& progress_;
  std::stop_token const& stop_;
  Hasher<Sha256> sha256_;
  Hasher<Sha512> sha512_;
};

/// Makes the raw form of a qcow2.
Result<RawFile> convert(UniqueFd const& qcow2, VerifiedContent content, document::Image const& image,
                        path const& final_path, Sink::Progress const& progress, std::stop_token const& stop) {
  if (auto const size = content.inspection().virtual_size; size > largest_converted) {
    return fail(Fault::image_virtual_size, "its disk has {}, and at most {} are made raw", human(size),
                human(largest_converted));
  }
  auto draft = Draft::make(final_path);
  if (!draft) return fail(draft.error());
  DiskWriter writer{*draft, progress, stop};
  auto const disk = image::read_disk(
      qcow2, {.content_size = image.content_size, .disk_format = image.disk_format, .container_format = "bare"},
      [&](ByteCount data) { return check_room(final_path.parent_path(), data); },
      [&](std::uint64_t offset, std::span<std::byte const> data) { return writer.write(offset, data); }, stop);
  if (!disk) return fail(disk.error());
  auto const form = writer.finish(disk->virtual_size);
  if (!form) return fail(form.error());
  return RawFile{std::move(*draft), std::move(content), *form};
}

/// It is read twice, for its digests and for the disk in it, so it must not change meanwhile, as what belongs to others
/// may.
Result<RawFile> convert_plain(flow::Artefact const& artefact, path const& final_path, Sink::Progress const& progress,
                              std::stop_token const& stop) {
  auto const whole = artefact.verified();
  if (!whole) return fail(whole.error());
  auto const before = Fingerprint::of(whole->fd(), "the image");
  if (!before) return fail(before.error());
  auto content = verify_content(whole->fd(), *whole, stop);
  if (!content) return fail(content.error());
  auto made = convert(whole->fd(), std::move(*content), whole->image(), final_path, progress, stop);
  if (!made) return made;
  auto const after = Fingerprint::of(whole->fd(), "the image");
  if (!after) return fail(after.error());
  if (*after != *before) return fail(Fault::hash_mismatch, "the image was changed while its raw form was made");
  return made;
}

/// Tables of a qcow2 lead everywhere, so packed content is unpacked into a file of our own first.
Result<RawFile> convert_packed(flow::Artefact const& artefact, path const& final_path, Sink::Progress const& progress,
                               std::stop_token const& stop) {
  auto unpacked = Draft::make(final_path);
  if (!unpacked) return fail(unpacked.error());
  auto content = unpack_into(*unpacked, artefact, final_path.parent_path(), {}, stop);
  if (!content) return fail(content.error());
  if (auto const done = unpacked->set_length(); !done) return fail(done.error());
  return convert(unpacked->fd(), std::move(*content), artefact.image(), final_path, progress, stop);
}

}  // namespace

bool is_raw(document::Image const& image) {
  return image.container_format == "bare" && (image.disk_format == "raw" || image.disk_format == "iso");
}

std::optional<RawForm> known_raw_form(document::Image const& image, flow::Receipt const* known) {
  if (is_raw(image)) return RawForm{image.content_sha256, image.content_sha512, image.content_size};
  if (!known) return std::nullopt;
  return RawForm{known->content_sha256, known->content_sha512, known->size};
}

Result<RawFile> make_raw(flow::Artefact const& artefact, path const& final_path, Sink::Progress const& progress,
                         std::stop_token const& stop) {
  auto const& image = artefact.image();
  if (is_raw(image)) {
    return whole_if_shareable(artefact, final_path).and_then([&](flow::Artefact const& source) {
      return copy(source, final_path, progress, stop);
    });
  }
  if (image.container_format != "bare" || image.disk_format != "qcow2") {
    return fail(Fault::image_format_unsupported,
                "the raw form is made of raw, ISO and qcow2 images, not of {} ({}); publish it as qcow2",
                printable(image.disk_format), printable(image.container_format));
  }
  return is_plain(image) ? convert_plain(artefact, final_path, progress, stop)
                         : convert_packed(artefact, final_path, progress, stop);
}

}  // namespace imageswarm::sinks
