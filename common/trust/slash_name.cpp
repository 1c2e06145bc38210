#include "common/trust/slash_name.hpp"

#include <algorithm>

namespace imageswarm::trust {
namespace {

std::string_view up_to_equals(std::string_view text) {
  return text.substr(0, text.find('='));
}

}  // namespace

std::string slash_text(DistinguishedName const& name) {
  std::string text;
  for (auto const& part : name.parts()) {
    auto const one = DistinguishedName{{part}}.text();
    text.append("/").append(up_to_equals(one)).append("=").append(part.value);
  }
  return text;
}

bool is_slash_text_of(std::string_view text, DistinguishedName const& name) {
  bool const each_fits = std::ranges::all_of(name.parts(), [&text](DistinguishedName::Part const& part) {
    auto const type = up_to_equals(text);
    text.remove_prefix(std::min(type.size() + 1, text.size()));
    auto const read = DistinguishedName::parse(std::string{type} + "=any");
    bool const fits = type.starts_with('/') && read && read->parts().size() == 1 &&
                      read->parts().front().oid == part.oid && text.starts_with(part.value);
    if (fits) text.remove_prefix(part.value.size());
    return fits;
  });
  return each_fits && text.empty();
}

}  // namespace imageswarm::trust
