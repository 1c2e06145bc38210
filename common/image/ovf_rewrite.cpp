#include "common/image/ovf_rewrite.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <vector>

#include "common/base/text.hpp"
#include "common/image/ovf_value.hpp"
#include "common/image/ovf_xml.hpp"

namespace imageswarm::image {
namespace {

tl::unexpected<Error> refuse(std::string_view name, std::string_view why) {
  return fail(Fault::image_ovf, "the property {} {}", printable(name), why);
}

/// A property of the document, with the value that it shall have.
struct Property {
  pugi::xml_node node;
  std::string class_name, key, instance;
  std::string value;
  bool is_set = false;

  std::string full_name() const { return joined(class_name, joined(key, instance)); }
  bool may_be_called(std::string_view name) const {
    return name == key || name == joined(class_name, key) || name == joined(key, instance) || name == full_name();
  }

private:
  static std::string joined(std::string const& a, std::string const& b) {
    return a.empty() || b.empty() ? a + b : a + "." + b;
  }
};

void find_properties(pugi::xml_node const& section, std::vector<Property>& found) {
  bool const is_product = is_element(section, "ProductSection");
  for (auto const& node : section.children()) {
    if (is_product && is_element(node, "Property")) {
      found.push_back({.node = node,
                       .class_name = attribute(section, "class").value_or(""),
                       .key = attribute(node, "key").value_or(""),
                       .instance = attribute(section, "instance").value_or(""),
                       .value = attribute(node, "value").value_or("")});
    } else if (!is_product) {
      find_properties(node, found);
    }
  }
}

/// The one that is meant: the one with this full name, or else the only one that may be called so.
Result<Property*> property_called(std::string_view name, std::vector<Property>& properties) {
  std::vector<Property*> meant;
  for (auto& property : properties) {
    if (property.full_name() == name) meant.push_back(&property);
  }
  if (meant.empty()) {
    for (auto& property : properties) {
      if (property.may_be_called(name)) meant.push_back(&property);
    }
  }
  if (meant.size() == 1) return meant.front();
  std::vector<std::string> names;
  if (meant.empty()) {
    for (auto const& property : properties) names.push_back(property.full_name());
  } else {
    for (auto const* property : meant) names.push_back(property->full_name());
  }
  return refuse(name, fmt::format("{}: {}", meant.empty() ? "is not in the OVF, which has" : "may be any of these",
                                  printable(join(names, ", "))));
}

bool is_user_configurable(Property const& property) {
  auto const text = attribute(property.node, "userConfigurable");
  return text == "true" || text == "1";
}

Result<> set(Property& property, std::string const& value) {
  auto const text_of = [&property](std::string_view word) { return attribute(property.node, word).value_or(""); };
  property.value = value;
  property.is_set = true;
  return check_value(property.full_name(), text_of("type"), text_of("qualifiers"), value);
}

Result<> set_values(OvaOrder const& order, std::vector<Property>& properties) {
  for (auto const& [name, value] : order.endorsed) {
    auto const property = property_called(name, properties);
    if (!property) return fail(property.error());
    if (auto const done = set(**property, value); !done) return done;
  }
  for (auto const& [name, value] : order.site) {
    auto const property = property_called(name, properties);
    if (!property) return fail(property.error());
    if (!is_user_configurable(**property) && (*property)->value != value)
      return refuse(name, "may not be changed by a user (ovf:userConfigurable), and its value is another");
    if (auto const done = set(**property, value); !done) return done;
  }
  return {};
}

/// A text that takes the place of `size` bytes.
struct Edit {
  std::size_t at = 0, size = 0;
  std::string text;
};

std::string escaped(std::string_view value) {
  std::string text;
  for (auto const c : value) {
    bool const is_plain = std::string_view{"&<>\"'\t\n\r"}.find(c) == std::string_view::npos;
    text += is_plain ? std::string{c} : fmt::format("&#{};", static_cast<int>(c));
  }
  return text;
}

/// What stands for the namespace of OVF in an attribute's name: "ovf:".
std::string prefix_of(pugi::xml_attribute const& attribute) {
  std::string_view const name = attribute.name();
  return std::string{name.substr(0, name.find(':') + 1)};
}

/// The text of a document and where its parts are.
class Text {
public:
  explicit Text(std::string_view xml) : xml_{xml} {}

  /// `ovf:value` of this element; `model` is one of its attributes, for the prefix.
  [[nodiscard]] Result<> set_value(pugi::xml_node const& element, pugi::xml_attribute const& model,
                                   std::string_view value) {
    auto const name = name_at(element);
    if (!name) return fail(name.error());
    if (auto const old = attribute_node(element, "value")) {
      auto const quoted = value_of(*name, old.name());
      if (!quoted) return fail(quoted.error());
      edits_.push_back({quoted->at, quoted->size, escaped(value)});
    } else {
      edits_.push_back({*name, 0, fmt::format(" {}value=\"{}\"", prefix_of(model), escaped(value))});
    }
    return {};
  }

  /// References to more files, before the first one.
  [[nodiscard]] Result<> add_files(pugi::xml_node const& first, std::vector<OvaOrder::File> const& files) {
    auto const name = name_at(first);
    if (!name) return fail(name.error());
    auto const prefix = prefix_of(attribute_node(first, "href"));
    std::string text;
    for (auto const& file : files) {
      text += fmt::format("<{0} {1}id=\"{2}\" {1}href=\"{2}\" {1}size=\"{3}\"/>", first.name(), prefix,
                          escaped(file.name), file.content.size());
    }
    edits_.push_back({*name - std::string_view{first.name()}.size() - 1, 0, text});
    return {};
  }

  std::string edited() {
    std::ranges::sort(edits_, {}, &Edit::at);
    std::string text;
    std::size_t at = 0;
    for (auto const& edit : edits_) {
      text.append(xml_.substr(at, edit.at - at)).append(edit.text);
      at = edit.at + edit.size;
    }
    return text.append(xml_.substr(at));
  }

private:
  struct Range {
    std::size_t at = 0, size = 0;
  };

  /// Behind the name of the element in its start tag.
  Result<std::size_t> name_at(pugi::xml_node const& element) const {
    auto const offset = element.offset_debug();
    std::string_view const name = element.name();
    if (offset < 1 || !xml_.substr(static_cast<std::size_t>(offset) - 1).starts_with("<" + std::string{name})) {
      return refuse_ovf("cannot be changed: where is ", name);
    }
    return static_cast<std::size_t>(offset) + name.size();
  }

  /// What stands between the quotation marks of an attribute, in the start tag whose name ends at `at`.
  Result<Range> value_of(std::size_t at, std::string_view wanted) const {
    for (;;) {
      auto const begin = xml_.find_first_not_of(" \t\r\n", at);
      auto const equals = xml_.find('=', begin);
      auto const open = xml_.find_first_of("\"'", equals);
      auto const close = open == xml_.npos ? open : xml_.find(xml_[open], open + 1);
      if (close == xml_.npos) return refuse_ovf("cannot be changed: where is ", wanted);
      if (trimmed(xml_.substr(begin, equals - begin)) == wanted) return Range{open + 1, close - open - 1};
      at = close + 1;
    }
  }

  std::string_view xml_;
  std::vector<Edit> edits_;
};

/// The first file that the OVF refers to.
pugi::xml_node first_file(pugi::xml_node const& envelope) {
  for (auto const& section : envelope.children()) {
    if (!is_element(section, "References")) continue;
    for (auto const& node : section.children()) {
      if (is_element(node, "File")) return node;
    }
  }
  return {};
}

Result<> edit(Property const& property, Text& text) {
  auto const key = attribute_node(property.node, "key");
  if (auto const done = text.set_value(property.node, key, property.value); !done) return done;
  for (auto const& child : property.node.children()) {
    if (!is_element(child, "Value")) continue;
    if (auto const done = text.set_value(child, key, property.value); !done) return done;
  }
  return {};
}

}  // namespace

Result<std::string> rewrite_ovf(std::string_view xml, OvaOrder const& order) {
  pugi::xml_document document;
  if (auto const loaded = load_ovf(xml, document); !loaded) return fail(loaded.error());
  auto const envelope = document.document_element();
  std::vector<Property> properties;
  find_properties(envelope, properties);
  if (auto const done = set_values(order, properties); !done) return fail(done.error());

  Text text{xml};
  for (auto const& property : properties) {
    if (!property.is_set) continue;
    if (auto const done = edit(property, text); !done) return fail(done.error());
  }
  if (order.files.empty()) return text.edited();
  auto const file = first_file(envelope);
  if (!file) return refuse_ovf("has no files");
  return text.add_files(file, order.files).map([&text] { return text.edited(); });
}

}  // namespace imageswarm::image
