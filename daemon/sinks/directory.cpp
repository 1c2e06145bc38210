#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "daemon/sinks/content.hpp"
#include "daemon/sinks/sink.hpp"

namespace imageswarm::sinks {
namespace {

constexpr std::size_t block = ByteCount{64_KiB}.value;

bool is_zero(std::span<std::byte const> data) {
  return data[0] == std::byte{0} && std::memcmp(data.data(), data.data() + 1, data.size() - 1) == 0;
}

/// A file that is being made under a temporary name, with holes for zeros; gone unless it was moved into place.
class Draft {
public:
  [[nodiscard]] static Result<Draft> make(std::filesystem::path const& final_path) {
    auto const name = "." + final_path.filename().native() + ".XXXXXX.tmp";
    auto path = (final_path.parent_path() / name).native();
    UniqueFd fd{::mkostemps(path.data(), 4, O_CLOEXEC)};
    if (!fd) return fail(errno_error(errno, "making a file in", final_path.parent_path()));
    return Draft{std::move(fd), std::move(path)};
  }
  Draft(Draft&& other) noexcept
      : fd_{std::move(other.fd_)}, path_{std::exchange(other.path_, {})}, size_{other.size_} {}
  Draft& operator=(Draft&&) = delete;
  ~Draft() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  ByteCount size() const { return {size_}; }

  [[nodiscard]] Result<> append(std::span<std::byte const> data) {
    while (!data.empty()) {
      auto const part = data.first(std::min(data.size(), block - static_cast<std::size_t>(size_ % block)));
      if (!is_zero(part)) {
        if (::lseek(fd_.get(), static_cast<off_t>(size_), SEEK_SET) < 0)
          return fail(errno_error(errno, "writing", path_));
        if (auto const written = write_all(fd_.get(), part, path_); !written) return written;
      }
      size_ += part.size();
      data = data.subspan(part.size());
    }
    return {};
  }

  [[nodiscard]] Result<> become(std::filesystem::path const& final_path) {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0 || ::fchmod(fd_.get(), 0644) != 0) {
      return fail(errno_error(errno, "finishing", path_));
    }
    auto moved = move_into_place(path_, final_path);
    if (moved) path_.clear();
    return moved;
  }

private:
  Draft(UniqueFd fd, std::string path) : fd_{std::move(fd)}, path_{std::move(path)} {}
  UniqueFd fd_;
  std::string path_;
  std::uint64_t size_ = 0;
};

/// `<path>/<image ID>.<disk format>`.
class DirectorySink final : public Sink {
public:
  explicit DirectorySink(flow::SinkSettings settings) : settings_{std::move(settings)} {
    settings_.path = (settings_.path / "").lexically_normal().parent_path();  // no slash at its end
    if (settings_.name.empty()) settings_.name = settings_.path.native();
  }

  std::string_view type() const override { return "directory"; }
  std::string const& name() const override { return settings_.name; }

  /// Reads the whole file where the size is right: what is on the disk is compared, not what was once written there.
  Result<std::optional<flow::Receipt>> find(flow::Want const& want, std::stop_token const& stop) override {
    auto const path = path_of(want.image);
    auto const fd = open_regular(path);
    if (!fd && fd.error().fault == Fault::not_found) return std::nullopt;
    if (!fd) return fail(fd.error());
    auto const size = size_of(*fd);
    if (!size) return fail(size.error());
    if (*size != want.image.content_size) return std::nullopt;
    auto const digest = digest_of_file(*fd, path, stop);
    if (!digest) return fail(digest.error());
    if (*digest != want.image.content_sha256) return std::nullopt;
    return receipt(want, false);
  }

  Result<flow::Receipt> put(flow::Want const& want, flow::VerifiedArtefact const& artefact, Progress const& progress,
                            std::stop_token const& stop) override {
    if (auto const found = find(want, stop); found && *found) return **found;
    if (auto const room = check_room(want.image.content_size); !room) return fail(room.error());
    auto draft = Draft::make(path_of(want.image));
    if (!draft) return fail(draft.error());
    auto const append = [&](std::span<std::byte const> data) {
      auto written = draft->append(data);
      if (written && progress) progress(draft->size());
      return written;
    };
    if (auto const content = unpack_verified(artefact, append, stop); !content) return fail(content.error());
    if (auto const moved = draft->become(path_of(want.image)); !moved) return fail(moved.error());
    return receipt(want, true);
  }

  Result<> retire(flow::Receipt const& receipt, flow::Retirement, std::stop_token const&) override {
    std::filesystem::path const path = receipt.reference;
    if (path.parent_path() != settings_.path || path.stem() != receipt.image_id.text()) {
      return fail(Fault::internal, "{}: not a file of sink {}, left alone", printable(path.native()), settings_.name);
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail(errno_error(errno, "removing", path));
    return {};
  }

  /// Only names that Draft makes: others may keep files here too.
  Result<> clean_up(std::stop_token const&) override {
    auto const entries = list_directory(settings_.path);
    if (!entries) return fail(entries.error());
    for (auto const& entry : *entries) {
      auto const name = entry.filename().native();
      if (!name.starts_with('.') || !name.ends_with(".tmp") || !Uuid::parse(name.substr(1, 36))) continue;
      if (auto removed = remove_file(entry); !removed) return removed;
    }
    return {};
  }

private:
  std::filesystem::path path_of(document::Image const& image) const {
    return settings_.path / (image.image_id.text() + "." + image.disk_format);
  }

  flow::Receipt receipt(flow::Want const& want, bool made_here) const {
    return {.image_id = want.image.image_id,
            .sink = settings_.name,
            .sink_type = "directory",
            .reference = path_of(want.image).native(),
            .content_sha256 = want.image.content_sha256,
            .content_sha512 = want.image.content_sha512,
            .size = want.image.content_size,
            .provenance = want.provenance,
            .at = SystemClock{}.now(),
            .uploaded_here = made_here};
  }

  Result<> check_room(ByteCount needed) const {
    if (auto const made = make_directories(settings_.path); !made) return made;
    auto const room = free_space(settings_.path);
    if (!room) return fail(room.error());
    if (*room >= needed) return {};
    return fail(Fault::disk_full, "{} are free and the image has {}; free some space", human(*room), human(needed));
  }

  static Result<Sha256> digest_of_file(UniqueFd const& fd, std::filesystem::path const& path,
                                       std::stop_token const& stop) {
    Hasher<Sha256> hasher;
    std::vector<std::byte> buffer(ByteCount{1_MiB}.value);
    for (;;) {
      if (stop.stop_requested()) return fail(Fault::cancelled, "reading {}: stopped", printable(path.native()));
      auto const count = ::read(fd.get(), buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return fail(errno_error(errno, "reading", path));
      if (count == 0) return hasher.finish();
      hasher.update(std::span{buffer}.first(static_cast<std::size_t>(count)));
    }
  }

  flow::SinkSettings settings_;
};

}  // namespace

Result<std::unique_ptr<Sink>> make_directory_sink(flow::SinkSettings const& settings) {
  if (!settings.path.is_absolute()) {
    return fail(Fault::config_value, "sink directory: `path` must be an absolute path, not '{}'",
                printable(settings.path.native()));
  }
  return std::make_unique<DirectorySink>(settings);
}

}  // namespace imageswarm::sinks
