#include "daemon/flow/device_path.hpp"

#include <functional>
#include <optional>
#include <string>

#include "common/base/text.hpp"

namespace imageswarm::flow {
namespace {

/// Nothing for a word that there is not.
std::optional<std::string> value_of(std::string_view word, document::Image const& image) {
  if (word == "volume-name") return image.volume_name;
  if (word == "name") return image.name;
  if (word == "image-id") return image.image_id.text();
  if (word == "image-version") return image.version.text;
  if (word == "uuid") return image.uuid.text();
  return std::nullopt;
}

using Value = std::function<Result<std::string>(std::string_view word)>;

Result<std::string> replaced(std::string_view text, Value const& value) {
  std::string made;
  while (!text.empty()) {
    auto const begin = text.find('{');
    made += text.substr(0, begin);
    if (begin == std::string_view::npos) break;
    auto const end = text.find('}', begin);
    if (end == std::string_view::npos) return fail(Fault::config_value, "a '{{' has no '}}'");
    auto const word = value(text.substr(begin + 1, end - begin - 1));
    if (!word) return word;
    made += *word;
    text.remove_prefix(end + 1);
  }
  return made;
}

}  // namespace

Result<> check_device_template(std::string_view text) {
  if (!text.starts_with('/')) return fail(Fault::config_value, "it is not an absolute path");
  auto const checked = replaced(text, [](std::string_view word) -> Result<std::string> {
    if (auto const known = value_of(word, {})) return *known;
    return fail(Fault::config_value,
                "there is no {{{}}}; there are {{volume-name}}, {{name}}, {{image-id}}, {{image-version}} and {{uuid}}",
                printable(word));
  });
  if (!checked) return fail(checked.error());
  return {};
}

Result<std::filesystem::path> device_path(std::string_view text, document::Image const& image) {
  auto const made = replaced(text, [&](std::string_view word) -> Result<std::string> {
    auto value = value_of(word, image).value_or("");
    if (document::is_file_name(value)) return value;
    return fail(Fault::doc_field, "the device is named by the {} of the image, and '{}' is no file name", word,
                printable(value));
  });
  if (!made) return fail(made.error());
  return std::filesystem::path{*made};
}

}  // namespace imageswarm::flow
