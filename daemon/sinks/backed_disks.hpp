#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace imageswarm::sinks {

/// An instance of Nova whose disk has `base` as its backing file, running or not, in words for people; nothing if there
/// is none. `instances` is Nova's instances_path. A disk that cannot be read counts: it might be one.
std::optional<std::string> instance_on(std::filesystem::path const& base, std::filesystem::path const& instances);

}  // namespace imageswarm::sinks
