#include "common/trust/slash_name.hpp"

#include <algorithm>

namespace imageswarm::trust {
namespace {

std::string_view up_to_equals(std::string_view text) {
  return text.substr(0, text.find('='));
}

}  // namespace

std::string slash_text(DistinguishedName const& name, char inner_slash) {
  std::string text;
  for (auto const& part : name.parts()) {
    auto const one = DistinguishedName{{part}}.text();
    auto value = part.value;
    std::ranges::replace(value, '/', inner_slash);
    text.append("/").append(up_to_equals(one)).append("=").append(value);
  }
  return text;
}

std::string with_usual_types(std::string_view text) {
  std::string usual;
  while (!text.empty()) {
    auto const part = text.substr(0, text.find('/', 1));
    auto const type = up_to_equals(part);
    auto const known = DistinguishedName::parse(std::string{type} + "=any");
    bool const is_type = type.starts_with('/') && type.size() < part.size() && known;
    usual += is_type ? "/" + std::string{up_to_equals(known->text())} : type;
    usual += part.substr(type.size());
    text.remove_prefix(part.size());
  }
  return usual;
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
