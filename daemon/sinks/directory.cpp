#include <fcntl.h>

#include <cerrno>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "daemon/sinks/content.hpp"
#include "daemon/sinks/draft.hpp"
#include "daemon/sinks/file_use.hpp"
#include "daemon/sinks/fingerprint.hpp"
#include "daemon/sinks/sink.hpp"

namespace imageswarm::sinks {
namespace {

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
  Result<std::optional<flow::Receipt>> find(flow::Want const& want, flow::Receipt const*,
                                            std::stop_token const& stop) override {
    if (auto const there = check_there(); !there) return fail(there.error());
    auto const path = path_of(want.image);
    auto const fd = open_regular(path);
    if (!fd && fd.error().fault == Fault::not_found) return std::nullopt;
    if (!fd) return fail(fd.error());
    auto const fingerprint = Fingerprint::of(*fd, path);
    if (!fingerprint) return fail(fingerprint.error());
    if (static_cast<std::uint64_t>(fingerprint->size) != want.image.content_size.value) return std::nullopt;
    auto const same = compared_.match(*fd, path, want.image.content_sha256, *fingerprint, stop);
    if (!same) return fail(same.error());
    if (!*same) return std::nullopt;
    return receipt(want, false);
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

  flow::SinkSettings settings_;
  ComparedFiles compared_;
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
