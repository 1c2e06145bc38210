#include "daemon/sinks/newest_link.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "common/base/file.hpp"
#include "common/base/log.hpp"
#include "common/base/text.hpp"

namespace imageswarm::sinks {
namespace {

namespace fs = std::filesystem;

std::string family_of(flow::Want const& want) {
  return want.image.uuid.text() + " of " + want.endorser.text();
}

/// Names of image files begin so; no link may take one.
bool begins_with_id(std::string_view name) {
  return Uuid::parse(name.substr(0, 36)).has_value();
}

/// What a link of ours leads to: the name of an image file beside it. Nothing if it is none.
std::optional<std::string> target_of(fs::path const& link) {
  std::error_code error;
  auto const target = fs::read_symlink(link, error).native();
  if (error || target.find('/') != std::string::npos || !begins_with_id(target)) return std::nullopt;
  return target;
}

}  // namespace

Result<> NewestLinks::offer(flow::Want const& want, std::string const& file) {
  auto const& name = want.image.name;
  if (!document::is_image_name(name) || begins_with_id(name)) return {};
  std::lock_guard const lock{mutex_};
  auto const known = std::ranges::find(offers_, file, &Offered::file);
  if (known == offers_.end()) {
    offers_.push_back({file, name, family_of(want), want.image.version});
  } else if (known->name != name) {
    auto const former = std::exchange(known->name, name);
    if (auto const moved = point(former, file); !moved) return moved;
  }
  return point(name);
}

Result<> NewestLinks::withhold(flow::Want const& want, std::string const& file) {
  std::lock_guard const lock{mutex_};
  auto const known = std::ranges::find(offers_, file, &Offered::file);
  auto const name = known == offers_.end() ? want.image.name : known->name;
  forget(file);
  if (!document::is_image_name(name) || begins_with_id(name)) return {};
  if (target_of(directory_ / name) != file) return {};
  return point(name, file, family_of(want));
}

void NewestLinks::forget(std::string_view file) {
  std::erase_if(offers_, [&](Offered const& each) { return each.file == file; });
}

/// `family` is that of the link which led to `withheld`.
Result<> NewestLinks::point(std::string const& name, std::string_view withheld, std::string_view family) {
  auto const link = directory_ / name;
  std::error_code none;
  bool const is_taken = fs::symlink_status(link, none).type() != fs::file_type::not_found;
  auto const target = target_of(link);
  if (is_taken && !target) {
    if (!newest(name, {})) return {};
    return fail(Fault::exists, "{} is not a link to an image of this directory, and stays; move it away",
                printable(link.native()));
  }
  if (target && *target != withheld && fs::exists(directory_ / *target, none)) {
    auto const known = std::ranges::find(offers_, *target, &Offered::file);
    if (known == offers_.end()) return {};
    if (known->name == name) family = known->family;
  }
  auto const* best = newest(name, family);
  if (best == nullptr) best = newest(name, {});
  if (best == nullptr) return target ? remove_file(link) : Result<>{};
  warn_of_others(name, best->family);
  return target == best->file ? Result<>{} : replace(link, *best);
}

/// Of this family or, without one, of the one that had the name first; null if there is none.
NewestLinks::Offered const* NewestLinks::newest(std::string_view name, std::string_view family) const {
  Offered const* best = nullptr;
  for (auto const& each : offers_) {
    if (each.name != name || (!family.empty() && each.family != family)) continue;
    family = each.family;
    if (best == nullptr || each.version > best->version) best = &each;
  }
  return best;
}

void NewestLinks::warn_of_others(std::string const& name, std::string_view family) {
  for (auto const& each : offers_) {
    if (each.name != name || each.family == family || !warned_.insert(each.file).second) continue;
    log_warning("{} leads to an image of the family {}; {}, of the family {}, has no link",
                (directory_ / name).native(), family, each.file, each.family);
  }
}

/// What stands there is a link of ours, or nothing. Not synced: after a power cut it is made again when the image is
/// found.
Result<> NewestLinks::replace(fs::path const& link, Offered const& offered) const {
  auto const temporary = directory_ / ("." + offered.file + ".link.tmp");
  if (auto const free = remove_file(temporary); !free) return free;
  if (::symlink(offered.file.c_str(), temporary.c_str()) != 0 || ::rename(temporary.c_str(), link.c_str()) != 0) {
    return fail(errno_error(errno, "making the link", link));
  }
  return {};
}

}  // namespace imageswarm::sinks
