#include "daemon/sinks/volume_mark.hpp"

#include "common/base/file.hpp"
#include "common/base/text.hpp"

namespace imageswarm::sinks {

VolumeMark VolumeMark::of(flow::Want const& want, Sha256 const& head) {
  auto const& image = want.image;
  return {image.image_id, digest_of<Sha256>(image.uuid.text() + " " + want.endorser.text()), image.version, head};
}

Result<std::optional<VolumeMark>> VolumeMarks::read(std::filesystem::path const& device) const {
  auto const text = read_file(file_of(device), 4_KiB);
  if (!text && text.error().fault == Fault::not_found) return std::nullopt;
  if (!text) return fail(text.error());
  auto const lines = split(*text, '\n');
  if (lines.size() >= 4) {
    auto const id = Uuid::parse(lines[0]);
    auto const family = Sha256::parse(lines[1]), head = Sha256::parse(lines[2]);
    auto version = document::Version::parse(lines[3]);
    if (id && family && head && version) return VolumeMark{*id, *family, std::move(*version), *head};
  }
  return fail(Fault::state_corrupt, "{} does not say what is on {}; remove it, and clear the device",
              file_of(device).native(), printable(device.native()));
}

Result<> VolumeMarks::write(std::filesystem::path const& device, VolumeMark const& mark) const {
  return write_file_atomically(file_of(device), fmt::format("{}\n{}\n{}\n{}\n", mark.image_id.text(), mark.family.hex(),
                                                            mark.head.hex(), mark.version.text));
}

Result<> VolumeMarks::remove(std::filesystem::path const& device) const {
  return remove_file(file_of(device));
}

std::filesystem::path VolumeMarks::file_of(std::filesystem::path const& device) const {
  return directory_ / digest_of<Sha1>(device.native()).hex();
}

}  // namespace imageswarm::sinks
