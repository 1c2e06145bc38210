#pragma once

#include <filesystem>
#include <string_view>

#include "common/base/result.hpp"
#include "common/document/model.hpp"

namespace imageswarm::flow {

/// Is it an absolute path in which each {word} is one that `device_path` knows? Fault: config-value.
[[nodiscard]] Result<> check_device_template(std::string_view text);

/// The device that a checked template names for an image. Fault: doc-field (the entry has no such word, or one that is
/// no file name).
[[nodiscard]] Result<std::filesystem::path> device_path(std::string_view text, document::Image const& image);

}  // namespace imageswarm::flow
