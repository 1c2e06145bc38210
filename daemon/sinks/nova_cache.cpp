#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <vector>

#include "common/base/file.hpp"
#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "daemon/sinks/backed_disks.hpp"
#include "daemon/sinks/file_use.hpp"
#include "daemon/sinks/fingerprint.hpp"
#include "daemon/sinks/glance_record.hpp"
#include "daemon/sinks/group.hpp"
#include "daemon/sinks/raw_form.hpp"
#include "daemon/sinks/sink.hpp"

namespace imageswarm::sinks {
namespace {

/// Nova deletes a file that no instance uses a day after its time stamp; renewed this early, it also outlives a night
/// without this daemon. More often would only hide from us which files Nova renews.
constexpr std::chrono::hours renewal_age{6};

std::chrono::seconds age_of(struct stat const& status) {
  return std::chrono::seconds{std::time(nullptr) - status.st_mtim.tv_sec};
}

/// Names of Draft, for names of ours: others keep files here too.
bool is_leftover(std::string_view name) {
  return name.starts_with('.') && name.ends_with(".tmp") && Sha1::parse(name.substr(1, 40)) &&
         name.substr(41, 1) == ".";
}

/// `<directory>/<SHA-1 of the Glance ID as text>`, where the libvirt driver of Nova looks before it asks Glance. Until
/// that ID is known here it is the image ID.
class NovaCacheSink final : public Sink {
public:
  explicit NovaCacheSink(flow::SinkSettings settings) : settings_{std::move(settings)} {
    settings_.directory = (settings_.directory / "").lexically_normal().parent_path();  // no slash at its end
    if (settings_.name.empty()) settings_.name = settings_.directory.native();
  }

  std::string_view type() const override { return "nova-cache"; }
  std::string const& name() const override { return settings_.name; }

  Result<std::optional<flow::Receipt>> find(flow::Want const& want, flow::Receipt const* known,
                                            std::stop_token const& stop) override {
    if (auto const ready = check_ready(); !ready) return fail(ready.error());
    auto const raw = known_raw_form(want.image, known);
    if (!raw) return std::nullopt;
    auto const path = path_of(want);
    auto const there = is_there(path, *raw, stop);
    if (!there) return fail(there.error());
    if (*there) drop_former(want);
    return *there ? std::optional{receipt(want, *raw, false)} : std::nullopt;
  }

  Result<flow::Receipt> put(flow::Want const& want, flow::Artefact const& artefact, Progress const& progress,
                            std::stop_token const& stop) override {
    auto const group = check_ready();
    if (!group) return fail(group.error());
    auto const path = path_of(want);
    auto made = make_raw(artefact, path, progress, stop);
    if (!made) return fail(made.error());
    auto const there = is_there(path, made->form, stop);  // Nova may have made it, and use it already
    if (!there) return fail(there.error());
    if (*there) return receipt(want, made->form, false);
    if (auto const free = check_replaceable(path); !free) return fail(free.error());
    if (auto const moved = made->draft.become(path, made->content, *group); !moved) return fail(moved.error());
    return receipt(want, made->form, true);
  }

  Result<flow::Retired> retire(flow::Want const& want, flow::Retirement, std::stop_token const&) override {
    if (auto const ready = check_ready(); !ready) return fail(ready.error());
    flow::Retired most;
    for (auto const& path : all_paths_of(want.image)) {
      auto gone = remove_unused(path);
      if (!gone) return gone;
      if (gone->effect > most.effect) most = std::move(*gone);
    }
    return most;
  }

  Result<> clean_up(std::stop_token const&) override {
    auto const entries = list_directory(settings_.directory);
    if (!entries) return fail(entries.error());
    for (auto const& entry : *entries) {
      if (!is_leftover(entry.filename().native())) continue;
      if (auto removed = remove_file(entry); !removed) return removed;
    }
    return {};
  }

private:
  std::filesystem::path path_for(std::string_view glance_id) const {
    return settings_.directory / digest_of<Sha1>(glance_id).hex();
  }
  std::filesystem::path path_of(flow::Want const& want) const {
    return path_for(want.glance_id.empty() ? want.image.image_id.text() : want.glance_id);
  }
  /// Where it lies under any ID that Glance may have given it.
  std::vector<std::filesystem::path> all_paths_of(document::Image const& image) const {
    std::vector<std::filesystem::path> paths;
    for (unsigned attempt = 1; attempt <= max_attempts; ++attempt) {
      paths.push_back(path_for(attempt_id(image.image_id, attempt).text()));
    }
    return paths;
  }

  Result<flow::Retired> remove_unused(std::filesystem::path const& path) {
    auto const fd = open_regular(path);
    if (!fd && fd.error().fault == Fault::not_found) return flow::Retired{};
    if (!fd) return fail(fd.error());
    if (auto user = user_of(*fd, path)) return flow::Retired{flow::Effect::in_use, path.native(), std::move(*user)};
    if (auto removed = remove_file(path); !removed) return fail(std::move(removed.error()));
    return flow::Retired{flow::Effect::removed, path.native(), {}};
  }

  /// What lies there under IDs that Glance does not use: as soon as no instance does either.
  void drop_former(flow::Want const& want) {
    for (auto const& path : all_paths_of(want.image)) {
      if (path == path_of(want)) continue;
      if (auto const gone = remove_unused(path); !gone) log_warning("{}: {}", name(), gone.error().line());
    }
  }

  /// Compared, and renewed if that is due. Only its place and size tell whether it must be read again: Nova and libvirt
  /// change its owner and times all the while.
  Result<bool> is_there(std::filesystem::path const& path, RawForm const& raw, std::stop_token const& stop) {
    auto const fd = open_regular(path);
    if (!fd && fd.error().fault == Fault::not_found) return false;
    if (!fd) return fail(fd.error());
    auto const fingerprint = Fingerprint::of(*fd, path);
    if (!fingerprint) return fail(fingerprint.error());
    if (static_cast<std::uint64_t>(fingerprint->size) != raw.size.value) return false;
    auto const same = compared_.match(*fd, path, raw.sha256, fingerprint->without_times(), stop);
    if (same && *same) renew(*fd);
    return same;
  }

  /// While instances use it, it may belong to libvirt; then Nova renews it.
  static void renew(UniqueFd const& fd) {
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0 || age_of(status) < renewal_age) return;
    timespec const times[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
    static_cast<void>(::futimens(fd.get(), times));
  }

  /// What is there under our name and is not the image may still be what an instance stands on.
  Result<> check_replaceable(std::filesystem::path const& path) const {
    auto const fd = open_regular(path);
    if (!fd && fd.error().fault == Fault::not_found) return {};
    if (!fd) return fail(fd.error());
    auto const user = user_of(*fd, path);
    if (!user) return {};
    return fail(Fault::exists, "{} is not this image, and stays, as it may be in use: {}", printable(path.native()),
                *user);
  }

  /// Who needs the file, in words for people. Nova renews the time stamp when an instance begins to use the file, and
  /// of all that instances need with each pass of its cache manager, so two passes without are a sign that none does.
  std::optional<std::string> user_of(UniqueFd const& fd, std::filesystem::path const& path) const {
    if (auto user = other_user_of(fd)) return user;
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return "its time stamp cannot be read";
    if (age_of(status) < 2 * settings_.manager_interval) {
      auto const known_at = TimePoint{std::chrono::seconds{status.st_mtim.tv_sec}} + 2 * settings_.manager_interval;
      return fmt::format("Nova may need it, which is known at {}: it renews what it needs every {}",
                         format_time(known_at), human(settings_.manager_interval));
    }
    if (auto instance = instance_on(path, path.parent_path().parent_path())) return instance;
    struct stat now {};
    bool const is_same = ::stat(path.c_str(), &now) == 0 && now.st_ino == status.st_ino &&
                         now.st_mtim.tv_sec == status.st_mtim.tv_sec && now.st_mtim.tv_nsec == status.st_mtim.tv_nsec;
    if (!is_same) return "an instance has begun to use it, or its file was replaced, while it was looked at";
    return std::nullopt;
  }

  flow::Receipt receipt(flow::Want const& want, RawForm const& raw, bool made_here) const {
    return {.image_id = want.image.image_id,
            .sink = settings_.name,
            .sink_type = "nova-cache",
            .reference = path_of(want).native(),
            .content_sha256 = raw.sha256,
            .content_sha512 = raw.sha512,
            .size = raw.size,
            .compared = made_here ? "content-sha256 content-sha512" : "content-sha256",
            .provenance = want.provenance,
            .at = SystemClock{}.now(),
            .uploaded_here = made_here};
  }

  /// It is not made here: what is missing may be a file system that is not mounted.
  Result<gid_t> check_ready() const {
    auto const group = own_group(settings_.group);
    if (!group) return group;
    auto const& directory = settings_.directory;
    if (::faccessat(AT_FDCWD, directory.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) == 0) return group;
    if (errno == ENOENT) {
      return fail(Fault::not_found,
                  "the directory {0} does not exist; mount its file system, or make it: install -d -o nova -g {1} -m "
                  "2775 {0}",
                  printable(directory.native()), printable(settings_.group));
    }
    if (errno != EACCES && errno != EROFS) return fail(errno_error(errno, "opening the directory", directory));
    return fail(Fault::permission,
                "imageswarmd may not write to {0}; give it to the group (chgrp {1} {0}; chmod 2775 {0}) and name it in "
                "ReadWritePaths= of the unit's drop-in nova-cache.conf",
                printable(directory.native()), printable(settings_.group));
  }

  flow::SinkSettings settings_;
  ComparedFiles compared_;
};

}  // namespace

Result<std::unique_ptr<Sink>> make_nova_cache_sink(flow::SinkSettings const& settings) {
  return std::make_unique<NovaCacheSink>(settings);
}

}  // namespace imageswarm::sinks
