#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <mutex>
#include <vector>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "common/base/zeros.hpp"
#include "daemon/sinks/content.hpp"
#include "daemon/sinks/file_use.hpp"
#include "daemon/sinks/sink.hpp"

namespace imageswarm::sinks {
namespace {

constexpr std::size_t block = ByteCount{64_KiB}.value;

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
      if (!all_zeros(part)) {
        if (::lseek(fd_.get(), static_cast<off_t>(size_), SEEK_SET) < 0)
          return fail(errno_error(errno, "writing", path_));
        if (auto const written = write_all(fd_.get(), part, path_); !written) return written;
      }
      size_ += part.size();
      data = data.subspan(part.size());
    }
    return {};
  }

  [[nodiscard]] Result<> become(std::filesystem::path const& final_path, VerifiedContent const&) {
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

/// A file that is read whole once a day as long as its data and its inode are as they were.
constexpr std::chrono::hours compare_interval{24};

/// Tells a file from what it was when it was last read; the kernel changes `changed` with every write, even where
/// somebody sets `modified` back.
struct Fingerprint {
  dev_t device{};
  ino_t inode{};
  off_t size{};
  std::int64_t modified_ns{}, changed_ns{};
  bool operator==(Fingerprint const&) const = default;

  [[nodiscard]] static Result<Fingerprint> of(UniqueFd const& fd, std::filesystem::path const& path) {
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return fail(errno_error(errno, "reading", path));
    auto const ns = [](timespec const& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; };
    return Fingerprint{status.st_dev, status.st_ino, status.st_size, ns(status.st_mtim), ns(status.st_ctim)};
  }
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

  /// What is on the disk is compared, not what was once written there: the whole file, where it may have changed.
  Result<std::optional<flow::Receipt>> find(flow::Want const& want, std::stop_token const& stop) override {
    if (auto const there = check_there(); !there) return fail(there.error());
    auto const path = path_of(want.image);
    auto const fd = open_regular(path);
    if (!fd && fd.error().fault == Fault::not_found) return std::nullopt;
    if (!fd) return fail(fd.error());
    auto const fingerprint = Fingerprint::of(*fd, path);
    if (!fingerprint) return fail(fingerprint.error());
    if (static_cast<std::uint64_t>(fingerprint->size) != want.image.content_size.value) return std::nullopt;
    if (was_compared(want.image, *fingerprint)) return receipt(want, false);
    auto const digest = digest_of_file(*fd, path, stop);
    if (!digest) return fail(digest.error());
    if (*digest != want.image.content_sha256) return std::nullopt;
    remember(want.image, *fingerprint);
    return receipt(want, false);
  }

  Result<flow::Receipt> put(flow::Want const& want, flow::Artefact const& artefact, Progress const& progress,
                            std::stop_token const& stop) override {
    auto const found = find(want, stop);
    if (!found) return fail(found.error());
    if (*found) return **found;
    if (auto const room = check_room(want.image.content_size + artefact.missing_on(settings_.path)); !room)
      return fail(room.error());
    auto draft = Draft::make(path_of(want.image));
    if (!draft) return fail(draft.error());
    auto const append = [&](std::span<std::byte const> data) {
      auto written = draft->append(data);
      if (written && progress) progress(draft->size());
      return written;
    };
    auto const content = unpack_verified(artefact, append, stop);
    if (!content) return fail(content.error());
    if (auto const moved = draft->become(path_of(want.image), *content); !moved) return fail(moved.error());
    return receipt(want, true);
  }

  Result<flow::Retired> retire(flow::Want const& want, flow::Retirement, std::stop_token const&) override {
    if (auto const there = check_there(); !there) return fail(there.error());
    auto const path = path_of(want.image);
    auto const fd = open_regular(path);
    if (!fd && fd.error().fault == Fault::not_found) return flow::Retired{};
    if (!fd) return fail(fd.error());
    if (auto user = other_user_of(*fd)) return flow::Retired{flow::Effect::in_use, path.native(), std::move(*user)};
    if (auto removed = remove_file(path); !removed) return fail(std::move(removed.error()));
    return flow::Retired{flow::Effect::removed, path.native(), {}};
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
    return settings_.path /
           (image.image_id.text() + "." + (image.container_format == "ova" ? "ova" : image.disk_format));
  }

  flow::Receipt receipt(flow::Want const& want, bool made_here) const {
    return {.image_id = want.image.image_id,
            .sink = settings_.name,
            .sink_type = "directory",
            .reference = path_of(want.image).native(),
            .content_sha256 = want.image.content_sha256,
            .content_sha512 = want.image.content_sha512,
            .size = want.image.content_size,
            .compared = made_here ? "content-sha256 content-sha512" : "content-sha256",
            .provenance = want.provenance,
            .at = SystemClock{}.now(),
            .uploaded_here = made_here};
  }

  /// It is not made here: what is missing may be a file system that is not mounted.
  Result<> check_there() const {
    UniqueFd const directory{::open(settings_.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (directory) return {};
    if (errno != ENOENT) return fail(errno_error(errno, "opening the directory", settings_.path));
    return fail(Fault::not_found,
                "the directory {0} does not exist; mount its file system, or make it with mkdir -p {0} and give it to "
                "the user of imageswarmd",
                printable(settings_.path.native()));
  }

  Result<> check_room(ByteCount needed) const {
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

  bool was_compared(document::Image const& image, Fingerprint const& fingerprint) {
    std::lock_guard const lock{mutex_};
    auto const known = compared_.find(image.content_sha256.hex());
    return known != compared_.end() && known->second.fingerprint == fingerprint &&
           SteadyClock::now() - known->second.at < compare_interval;
  }
  void remember(document::Image const& image, Fingerprint const& fingerprint) {
    std::lock_guard const lock{mutex_};
    compared_.insert_or_assign(image.content_sha256.hex(), Compared{fingerprint, SteadyClock::now()});
  }

  using SteadyClock = std::chrono::steady_clock;
  struct Compared {
    Fingerprint fingerprint;  ///< from before the file was read
    SteadyClock::time_point at;
  };

  flow::SinkSettings settings_;
  std::mutex mutex_;                          // guards `compared_`
  std::map<std::string, Compared> compared_;  ///< by the SHA-256 that the file had
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
