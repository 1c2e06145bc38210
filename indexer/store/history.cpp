#include "indexer/store/history.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "common/base/file.hpp"
#include "common/base/text.hpp"

namespace imageswarm::store {
namespace {

/// Largest history we read: several hundred thousand events.
constexpr ByteCount max_history = 64_MiB;

}  // namespace

std::string login_name() {
  auto const* entry = ::getpwuid(::getuid());
  return entry ? entry->pw_name : std::to_string(::getuid());
}

std::string write(Event const& event) {
  nlohmann::ordered_json const line{{"at", format_time(event.at)}, {"who", event.who},     {"action", event.action},
                                    {"image-id", event.image_id},  {"image", event.image}, {"note", event.note}};
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<Event> parse_event(std::string_view line) {
  try {
    auto const json = nlohmann::json::parse(line);
    auto const at = parse_time(json.at("at").get<std::string>());
    if (!at) return fail(at.error());
    return Event{*at,
                 json.at("who").get<std::string>(),
                 json.at("action").get<std::string>(),
                 json.at("image-id").get<std::string>(),
                 json.at("image").get<std::string>(),
                 json.at("note").get<std::string>()};
  } catch (nlohmann::json::exception const& error) {
    return fail(Fault::state_corrupt, "{}", printable(error.what()));
  }
}

Result<> append_event(std::filesystem::path const& path, Event const& event) {
  UniqueFd const file{::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644)};
  if (!file) return fail(errno_error(errno, "writing", path));
  auto const size = size_of(file);
  if (!size) return fail(size.error());
  // A line that a crash cut short ends here, so that it spoils only itself.
  char last = '\n';
  if (size->value > 0 && ::pread(file.get(), &last, 1, static_cast<off_t>(size->value - 1)) != 1) {
    return fail(errno_error(errno, "reading", path));
  }
  auto const line = (last == '\n' ? "" : "\n") + write(event);
  if (auto written = write_all(file.get(), std::as_bytes(std::span{line}), path); !written) return written;
  if (::fsync(file.get()) != 0) return fail(errno_error(errno, "writing", path));
  return {};
}

Result<std::vector<Event>> read_history(std::filesystem::path const& path) {
  auto const text = read_file(path, max_history);
  if (!text && text.error().fault == Fault::not_found) return std::vector<Event>{};
  if (!text) return fail(text.error());
  std::vector<Event> events;
  for (auto const line : split(*text, '\n')) {
    if (auto event = parse_event(line)) events.push_back(std::move(*event));
  }
  return events;
}

}  // namespace imageswarm::store
