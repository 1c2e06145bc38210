#include <fcntl.h>

#include <cerrno>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "daemon/sinks/content.hpp"
#include "daemon/sinks/draft.hpp"
#include "daemon/sinks/file_use.hpp"
#include "daemon/sinks/fingerprint.hpp"
#include "daemon/sinks/newest_link.hpp"
#include "daemon/sinks/sink.hpp"

namespace imageswarm::sinks {
namespace {

/// `<path>/<image ID>.<disk format>`, and links to the newest ones.
class DirectorySink final : public Sink {
public:
  explicit DirectorySink(flow::SinkSettings settings)
      : settings_{with_plain_path(std::move(settings))}, links_{settings_.path} {}

  std::string_view type() const override { return "directory"; }
  std::string const& name() const override { return settings_.name; }

  Result<std::optional<flow::Receipt>> find(flow::Want const& want, flow::Receipt const*,
                                            std::stop_token const& stop) override {
    auto const there = is_there(want.image, stop);
    if (!there) return fail(there.error());
    if (*there) return offered(want, false);
    auto const led = links_.withhold(want, path_of(want.image).filename());
    if (!led) return fail(led.error());
    return std::nullopt;
  }

  Result<flow::Receipt> put(flow::Want const& want, flow::Artefact const& artefact, Progress const& progress,
                            std::stop_token const& stop) override {
    auto const found = find(want, nullptr, stop);
    if (!found) return fail(found.error());
    if (*found) return **found;
    auto const needed = want.image.content_size + artefact.missing_on(settings_.path);
    if (auto const room = check_room(settings_.path, needed); !room) return fail(room.error());
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
    return offered(want, true);
  }

  Result<flow::Retired> retire(flow::Want const& want, flow::Retirement, std::stop_token const&) override {
    if (auto const there = check_there(); !there) return fail(there.error());
    auto const path = path_of(want.image);
    if (auto const led = links_.withhold(want, path.filename()); !led) return fail(led.error());
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
  static flow::SinkSettings with_plain_path(flow::SinkSettings settings) {
    settings.path = (settings.path / "").lexically_normal().parent_path();  // no slash at its end
    if (settings.name.empty()) settings.name = settings.path.native();
    return settings;
  }

  std::filesystem::path path_of(document::Image const& image) const {
    return settings_.path /
           (image.image_id.text() + "." + (image.container_format == "ova" ? "ova" : image.disk_format));
  }

  /// What is on the disk is compared, not what was once written there: the whole file, where it may have changed.
  Result<bool> is_there(document::Image const& image, std::stop_token const& stop) {
    if (auto const there = check_there(); !there) return fail(there.error());
    auto const path = path_of(image);
    auto const fd = open_regular(path);
    if (!fd && fd.error().fault == Fault::not_found) return false;
    if (!fd) return fail(fd.error());
    auto const fingerprint = Fingerprint::of(*fd, path);
    if (!fingerprint) return fail(fingerprint.error());
    if (static_cast<std::uint64_t>(fingerprint->size) != image.content_size.value) return false;
    return compared_.match(*fd, path, image.content_sha256, *fingerprint, stop);
  }

  Result<flow::Receipt> offered(flow::Want const& want, bool made_here) {
    if (auto const led = links_.offer(want, path_of(want.image).filename()); !led) return fail(led.error());
    return receipt(want, made_here);
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

  flow::SinkSettings settings_;
  ComparedFiles compared_;
  NewestLinks links_;
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
