#include "common/image/ova_order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/base/text.hpp"

namespace imageswarm::image {
namespace {

constexpr std::array<std::string_view, 2> form_words{"ova", "disk"};

/// "WORD NAME-SIZE CONTENT-SIZE\n", the name, the content.
void append(std::string& text, std::string_view word, std::string_view name, std::string_view content) {
  text += fmt::format("{} {} {}\n", word, name.size(), content.size());
  text.append(name).append(content);
}

tl::unexpected<Error> unreadable() {
  return fail(Fault::internal, "the order for the appliance cannot be read");
}

}  // namespace

std::string write_order(OvaOrder const& order) {
  std::string text;
  append(text, "form", form_words.at(static_cast<std::size_t>(order.form)), "");
  for (auto const& [name, value] : order.endorsed) append(text, "endorsed", name, value);
  for (auto const& [name, value] : order.site) append(text, "site", name, value);
  for (auto const& file : order.files) append(text, "file", file.name, file.content);
  return text;
}

Result<OvaOrder> read_order(std::string_view text) {
  OvaOrder order;
  while (!text.empty()) {
    auto const end = text.find('\n');
    if (end == text.npos) return unreadable();
    auto const parts = split(text.substr(0, end), ' ');
    text.remove_prefix(end + 1);
    auto const name_size = parse_number(parts.size() == 3 ? parts[1] : "", 0, text.size());
    if (!name_size) return unreadable();
    auto const content_size = parse_number(parts[2], 0, text.size() - *name_size);
    if (!content_size) return unreadable();
    std::string name{text.substr(0, *name_size)}, content{text.substr(*name_size, *content_size)};
    text.remove_prefix(*name_size + *content_size);
    if (parts[0] == "form") {
      auto const form = std::ranges::find(form_words, name);
      if (form == form_words.end()) return unreadable();
      order.form = static_cast<OvaOrder::Form>(form - form_words.begin());
    } else if (parts[0] == "endorsed") {
      order.endorsed[name] = std::move(content);
    } else if (parts[0] == "site") {
      order.site[name] = std::move(content);
    } else if (parts[0] == "file") {
      order.files.push_back({std::move(name), std::move(content)});
    } else {
      return unreadable();
    }
  }
  return order;
}

}  // namespace imageswarm::image
