#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "common/base/zeros.hpp"
#include "daemon/flow/device_path.hpp"
#include "daemon/sinks/block_device.hpp"
#include "daemon/sinks/fingerprint.hpp"
#include "daemon/sinks/raw_form.hpp"
#include "daemon/sinks/sink.hpp"
#include "daemon/sinks/volume_mark.hpp"

namespace imageswarm::sinks {
namespace {

using std::filesystem::path;
using Bytes = std::vector<std::byte>;

Sha256 digest_of_bytes(std::span<std::byte const> bytes) {
  Hasher<Sha256> hasher;
  hasher.update(bytes);
  return hasher.finish();
}

/// The next part of a draft, from `offset` on; of a hole, zeros.
Result<> read_draft(Draft const& draft, std::uint64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    auto const count = ::pread(draft.fd().get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, "reading", "the raw form"));
    if (count == 0) return fail(Fault::disk_error, "the raw form ends too early");
    offset += static_cast<std::uint64_t>(count);
    out = out.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

/// Calls `visit(offset, length)` for each MiB behind the head of a device, up to `size`.
template <class Visit>
Result<> each_part(ByteCount size, std::stop_token const& stop, Visit const& visit) {
  for (auto at = device_end.value; at < size.value; at += device_end.value) {
    if (stop.stop_requested()) return fail(Fault::cancelled, "writing to the device was stopped");
    if (auto const done = visit(at, std::min(device_end.value, size.value - at)); !done) return done;
  }
  return {};
}

/// The part behind the head. Where it has zeros, the device is asked: what one forgets need not be zeros.
Result<> write_body(BlockDevice const& device, RawFile const& raw, std::stop_token const& stop) {
  Bytes buffer(device_end.value);
  return each_part(raw.form.size, stop, [&](std::uint64_t at, std::uint64_t length) -> Result<> {
    auto const part = std::span{buffer}.first(length);
    if (auto const got = read_draft(raw.draft, at, part); !got) return got;
    return all_zeros(part) ? device.clear(at, {length}) : device.write(at, part);
  });
}

/// Does the device give back what was written?
Result<> check_body(BlockDevice const& device, std::span<std::byte const> head, RawForm const& form,
                    std::stop_token const& stop) {
  Hasher<Sha256> hasher;
  hasher.update(head.first(std::min<std::size_t>(head.size(), form.size.value)));
  Bytes buffer(device_end.value);
  auto const read = each_part(form.size, stop, [&](std::uint64_t at, std::uint64_t length) {
    auto const part = std::span{buffer}.first(length);
    return device.read(at, part).map([&] { hasher.update(part); });
  });
  if (!read) return read;
  if (hasher.finish() == form.sha256) return {};
  return fail(Fault::disk_error, "the device gives back other bytes than were written; look for its errors (dmesg)");
}

Result<> clear_head(BlockDevice const& device) {
  if (auto const done = device.clear(0, std::min(device.size(), device_end)); !done) return done;
  return device.settle();
}

/// Behind a head that is clear.
Result<> forget_body(BlockDevice const& device) {
  device.discard();
  auto const end = std::min(device.size(), device_end);
  if (auto const done = device.clear(0, end); !done) return done;
  if (auto const done = device.clear((device.size() - end).value, end); !done) return done;
  return device.settle();
}

/// A block device for each family, or each image, as the template says.
class VolumeSink final : public Sink {
public:
  VolumeSink(flow::SinkSettings settings, path directory)
      : settings_{std::move(settings)}, directory_{std::move(directory)}, marks_{directory_} {
    if (settings_.name.empty()) settings_.name = settings_.device;
  }

  std::string_view type() const override { return "volume"; }
  std::string const& name() const override { return settings_.name; }

  Result<std::optional<flow::Receipt>> find(flow::Want const& want, flow::Receipt const* known,
                                            std::stop_token const& stop) override {
    auto const place = flow::device_path(settings_.device, want.image);
    if (!place) return fail(place.error());
    auto const device = BlockDevice::open_to_read(*place);
    if (!device) return fail(device.error());
    auto const raw = known_raw_form(want.image, known);
    if (auto const fits = check_size(*device, *place, want.image, raw ? raw->size : ByteCount{}); !fits) {
      return fail(fits.error());
    }
    auto const mark = marks_.read(*place);
    if (!mark) return fail(mark.error());
    if (!raw || !*mark || (*mark)->image_id != want.image.image_id) return std::nullopt;
    auto const head = device->head();
    if (!head) return fail(head.error());
    if (digest_of_bytes(*head) != (*mark)->head) return std::nullopt;
    auto fingerprint = Fingerprint::of(device->fd(), *place);
    if (!fingerprint) return fail(fingerprint.error());
    fingerprint->size = static_cast<off_t>(raw->size.value);
    auto const same = compared_.match(device->fd(), *place, raw->sha256, fingerprint->without_times(), stop);
    if (!same) return fail(same.error());
    return *same ? std::optional{receipt(want, *place, *raw, false)} : std::nullopt;
  }

  /// The device is not touched before the whole raw form lies in a draft, right and complete.
  Result<flow::Receipt> put(flow::Want const& want, flow::Artefact const& artefact, Progress const& progress,
                            std::stop_token const& stop) override {
    auto const place = flow::device_path(settings_.device, want.image);
    if (!place) return fail(place.error());
    if (auto const made = make_directories(directory_, 0700); !made) return fail(made.error());
    auto const raw = make_raw(artefact, draft_path(), progress, stop);
    if (!raw) return fail(raw.error());
    auto const device = BlockDevice::open_alone(*place);
    if (!device) return fail(device.error());
    if (auto const fits = check_size(*device, *place, want.image, raw->form.size); !fits) return fail(fits.error());
    if (auto const ours = check_free(*device, *place, want); !ours) return fail(ours.error());
    if (auto const written = write(*device, *place, want, *raw, stop); !written) return fail(written.error());
    return receipt(want, *place, raw->form, true);
  }

  Result<flow::Retired> retire(flow::Want const& want, flow::Retirement, std::stop_token const&) override {
    auto const place = flow::device_path(settings_.device, want.image);
    if (!place) return flow::Retired{};
    auto const mark = marks_.read(*place);
    if (!mark) return fail(mark.error());
    if (!*mark || (*mark)->image_id != want.image.image_id) return flow::Retired{};
    auto const device = BlockDevice::open_alone(*place);
    if (!device && device.error().fault == Fault::exists) {
      return flow::Retired{flow::Effect::in_use, place->native(), device.error().what};
    }
    bool const gone = !device && device.error().fault == Fault::not_found;
    if (!device && !gone) return fail(device.error());
    if (!gone) {
      if (auto const cleared = clear_if_ours(*device, *place, **mark); !cleared) return fail(cleared.error());
    }
    if (auto const removed = marks_.remove(*place); !removed) return fail(removed.error());
    return gone ? flow::Retired{} : flow::Retired{flow::Effect::removed, place->native(), {}};
  }

  Result<> clean_up(std::stop_token const&) override {
    auto const entries = list_directory(directory_);
    if (!entries) return fail(entries.error());
    auto const beginning = "." + draft_path().filename().native() + ".";
    for (auto const& entry : *entries) {
      if (!entry.filename().native().starts_with(beginning)) continue;
      if (auto removed = remove_file(entry); !removed) return removed;
    }
    return {};
  }

private:
  /// What Draft's temporary names are made of, for this sink.
  path draft_path() const { return directory_ / ("draft-" + digest_of<Sha1>(settings_.name).hex()); }

  static Result<> check_size(BlockDevice const& device, path const& place, document::Image const& image,
                             ByteCount content) {
    auto const needed = std::max(content, image.volume_size.value_or(ByteCount{}));
    if (device.size() >= needed && device.size() > ByteCount{}) return {};
    return fail(Fault::disk_full, "{} has {} bytes and the image needs {}; make it larger", printable(place.native()),
                device.size().value, needed.value);
  }

  /// May it be overwritten: is it blank, or does an older version of the family lie there, as we left it?
  Result<> check_free(BlockDevice const& device, path const& place, flow::Want const& want) const {
    auto const mark = marks_.read(place);
    if (!mark) return fail(mark.error());
    if (!*mark) {
      auto const blank = device.is_blank();
      if (!blank) return fail(blank.error());
      return *blank ? Result<>{} : foreign(place);
    }
    auto const mine = VolumeMark::of(want, {});
    if ((*mark)->family != mine.family) {
      return fail(Fault::exists, "{} is the device of image {}, of another family; give each a device of its own",
                  printable(place.native()), (*mark)->image_id.text());
    }
    if ((*mark)->version > mine.version) {
      return fail(Fault::exists, "{} has the newer version {}", printable(place.native()), (*mark)->version.text);
    }
    return check_ours(device, place, **mark);
  }

  static Result<> check_ours(BlockDevice const& device, path const& place, VolumeMark const& mark) {
    auto const head = device.head();
    if (!head) return fail(head.error());
    return all_zeros(*head) || digest_of_bytes(*head) == mark.head ? Result<>{} : foreign(place);
  }

  static Result<> foreign(path const& place) {
    return fail(Fault::exists,
                "{0} holds data that are not ours, and stays; if nobody needs them: blkdiscard -f {0} or blkdiscard -f "
                "-z {0}",
                printable(place.native()));
  }

  /// Whenever it is cut off, the head is zeros, and nothing boots from the device; the head comes last.
  Result<> write(BlockDevice const& device, path const& place, flow::Want const& want, RawFile const& raw,
                 std::stop_token const& stop) const {
    Bytes head(std::min(device.size(), device_end).value);
    if (auto const done = raw.draft.set_length(); !done) return done;
    auto const beginning = std::span{head}.first(std::min<std::size_t>(head.size(), raw.form.size.value));
    if (auto const got = read_draft(raw.draft, 0, beginning); !got) return got;
    if (auto const done = clear_head(device); !done) return done;  // while it is still the older version's
    if (auto const done = marks_.write(place, VolumeMark::of(want, digest_of_bytes(head))); !done) return done;
    if (auto const done = forget_body(device); !done) return done;
    if (auto const done = write_body(device, raw, stop); !done) return done;
    if (auto const done = device.settle(); !done) return done;
    if (auto const right = check_body(device, head, raw.form, stop); !right) return right;
    if (auto const done = device.write(0, head); !done) return done;
    if (auto const done = device.settle(); !done) return done;
    auto const there = device.head();
    if (!there) return fail(there.error());
    if (*there == head) return {};
    if (auto const done = clear_head(device); !done) return done;
    return fail(Fault::disk_error, "{} gives back other bytes than were written; look for its errors (dmesg)",
                printable(place.native()));
  }

  static Result<> clear_if_ours(BlockDevice const& device, path const& place, VolumeMark const& mark) {
    if (auto const ours = check_ours(device, place, mark); !ours) return ours;
    if (auto const done = clear_head(device); !done) return done;
    return forget_body(device);
  }

  flow::Receipt receipt(flow::Want const& want, path const& place, RawForm const& raw, bool made_here) const {
    return {.image_id = want.image.image_id,
            .sink = settings_.name,
            .sink_type = "volume",
            .reference = place.native(),
            .content_sha256 = raw.sha256,
            .content_sha512 = raw.sha512,
            .size = raw.size,
            .compared = made_here ? "content-sha256 content-sha512" : "content-sha256",
            .provenance = want.provenance,
            .at = SystemClock{}.now(),
            .uploaded_here = made_here};
  }

  flow::SinkSettings settings_;
  path directory_;
  VolumeMarks marks_;
  ComparedFiles compared_;
};

}  // namespace

Result<std::unique_ptr<Sink>> make_volume_sink(flow::SinkSettings const& settings, path directory) {
  return std::make_unique<VolumeSink>(settings, std::move(directory));
}

}  // namespace imageswarm::sinks
