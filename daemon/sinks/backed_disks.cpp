#include "daemon/sinks/backed_disks.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <span>
#include <string_view>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "common/image/numbers.hpp"

namespace imageswarm::sinks {
namespace {

using std::filesystem::path;

constexpr std::size_t longest_name = 1023;  // of a backing file, in qcow2

bool read_at(int fd, std::uint64_t offset, std::span<std::byte> out) {
  return ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset)) == static_cast<ssize_t>(out.size());
}

/// Of a qcow2 (qemu's docs/interop/qcow2.txt); empty where there is none, as in a raw disk.
std::string backing_file_of(int fd) {
  std::array<std::byte, 20> header{};
  constexpr std::array magic{std::byte{'Q'}, std::byte{'F'}, std::byte{'I'}, std::byte{0xfb}};
  if (!read_at(fd, 0, header) || !std::equal(magic.begin(), magic.end(), header.begin())) return {};
  image::BigEndian const in{header};
  std::string name(std::min<std::size_t>(in.u32(16), longest_name), '\0');
  return read_at(fd, in.u64(8), std::as_writable_bytes(std::span{name})) ? name : std::string{};
}

/// disk, disk.local, disk.eph0, disk.swap; disk.info is text.
bool is_disk(path const& file) {
  auto const name = file.filename().native();
  return name.starts_with("disk") && name != "disk.info";
}

}  // namespace

std::optional<std::string> instance_on(path const& base, path const& instances) {
  auto const unknown = [](path const& what) {
    return fmt::format("{} cannot be read, so nobody knows whether an instance needs it", printable(what.native()));
  };
  auto const folders = list_directory(instances);
  if (!folders) return unknown(instances);
  for (auto const& folder : *folders) {
    std::error_code error;
    if (!std::filesystem::is_directory(folder, error) || folder == base.parent_path()) continue;
    auto const files = list_directory(folder);
    if (!files) return unknown(folder);
    for (auto const& file : *files) {
      if (!is_disk(file)) continue;
      UniqueFd const fd{::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
      if (!fd && errno == ENOENT) continue;
      if (!fd) return unknown(file);
      if (path{backing_file_of(fd.get())}.filename() == base.filename()) {
        return fmt::format("the instance {} has it as backing file", printable(folder.filename().native()));
      }
    }
  }
  return std::nullopt;
}

}  // namespace imageswarm::sinks
