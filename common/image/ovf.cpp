#include "common/image/ovf.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <pugixml.hpp>

#include "common/base/text.hpp"
#include "common/image/inspect.hpp"

namespace imageswarm::image {
namespace {

/// Both of its versions mean the same to us, so they are one: the first.
constexpr std::array<std::string_view, 2> envelope_namespaces{"http://schemas.dmtf.org/ovf/envelope/1",
                                                              "http://schemas.dmtf.org/ovf/envelope/2"};
constexpr int max_depth = 32;
constexpr std::size_t max_attributes = 64;

tl::unexpected<Error> refuse(std::string_view why, std::string_view what = "") {
  return fail(Fault::image_ovf, "the OVF {}{}", why, printable(what));
}

/// What a prefix stands for here: the nearest xmlns:PREFIX (or xmlns, without one) from the inside out.
std::string_view namespace_of(pugi::xml_node const& from, std::string_view prefix) {
  auto const wanted = prefix.empty() ? std::string{"xmlns"} : "xmlns:" + std::string{prefix};
  for (auto node = from; node; node = node.parent()) {
    auto const attribute = node.attribute(wanted.c_str());
    if (!attribute) continue;
    bool const is_ovf = std::ranges::find(envelope_namespaces, attribute.value()) != envelope_namespaces.end();
    return is_ovf ? envelope_namespaces.front() : attribute.value();
  }
  return prefix;
}

/// What the name of an element or of an attribute means: a namespace and a word of it.
struct Meaning {
  std::string_view space, word;
  auto operator<=>(Meaning const&) const = default;
};

Meaning meaning_of(pugi::xml_node const& node, std::string_view name) {
  auto const colon = name.find(':');
  if (colon == name.npos) return {namespace_of(node, ""), name};
  return {namespace_of(node, name.substr(0, colon)), name.substr(colon + 1)};
}

/// Without a prefix an attribute is in no namespace, whatever the default one is.
Meaning meaning_of(pugi::xml_node const& node, pugi::xml_attribute const& attribute) {
  std::string_view const name = attribute.name();
  return name.find(':') == name.npos ? Meaning{"", name} : meaning_of(node, name);
}

bool is_element(pugi::xml_node const& node, std::string_view word) {
  return meaning_of(node, std::string_view{node.name()}) == Meaning{envelope_namespaces.front(), word};
}

std::optional<std::string> attribute(pugi::xml_node const& node, std::string_view word) {
  for (auto const& one : node.attributes()) {
    if (meaning_of(node, one) == Meaning{envelope_namespaces.front(), word}) return one.value();
  }
  return {};
}

std::string text_of(pugi::xml_node const& parent, std::string_view word) {
  for (auto const& child : parent.children()) {
    if (is_element(child, word)) return child.text().get();
  }
  return {};
}

/// What two readers may understand in two ways, anywhere in the document.
class Strictness final : public pugi::xml_tree_walker {
public:
  bool for_each(pugi::xml_node& node) override {
    if (node.type() == pugi::node_doctype) why_ = "has a DTD";
    if (node.type() == pugi::node_declaration && lower_case(node.attribute("encoding").as_string("utf-8")) != "utf-8") {
      why_ = "is said not to be in UTF-8";
    }
    if (depth() > max_depth) why_ = "is nested too deeply";
    std::vector<Meaning> meanings;
    for (auto const& one : node.attributes()) meanings.push_back(meaning_of(node, one));
    if (meanings.size() > max_attributes) why_ = "has too many attributes";
    std::ranges::sort(meanings);
    if (std::ranges::adjacent_find(meanings) != meanings.end()) why_ = "has an attribute twice";
    return why_.empty();
  }
  std::string_view why() const { return why_; }

private:
  std::string_view why_;
};

Result<bool> truth(pugi::xml_node const& node, std::string_view word) {
  auto const text = attribute(node, word).value_or("false");
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return refuse("says neither true nor false: ", text);
}

Result<OvfFile> read_file(pugi::xml_node const& node) {
  OvfFile file{attribute(node, "id").value_or(""), attribute(node, "href").value_or(""), {}};
  if (file.id.empty() || file.href.empty()) return refuse("refers to a file without id or href");
  if (attribute(node, "compression").value_or("identity") != "identity") return refuse("has packed files");
  if (attribute(node, "chunkSize")) return refuse("has files in several pieces");
  if (auto const size = attribute(node, "size")) {
    auto const bytes = parse_number(*size, 0, INT64_MAX);
    if (!bytes) return refuse("has a file of the size ", *size);
    file.size = ByteCount{*bytes};
  }
  return file;
}

/// "byte * 2^30": what the capacity counts (DSP0004 C.1, as far as it is used).
Result<std::uint64_t> unit_of(std::string_view text) {
  std::string dense;
  std::ranges::copy_if(text, std::back_inserter(dense), [](char c) { return c != ' '; });
  constexpr std::string_view power = "byte*2^";
  if (dense == "byte") return std::uint64_t{1};
  auto const exponent = parse_number(dense.starts_with(power) ? dense.substr(power.size()) : "", 0, 46);
  if (!exponent) return refuse("counts in the unit ", text);
  return std::uint64_t{1} << *exponent;
}

Result<OvfDisk> read_disk(pugi::xml_node const& node) {
  OvfDisk disk{attribute(node, "diskId").value_or(""),
               attribute(node, "fileRef").value_or(""),
               attribute(node, "format").value_or(""),
               {}};
  if (disk.id.empty()) return refuse("has a disk without a name");
  if (attribute(node, "parentRef"))
    return fail(Fault::image_backing_file, "the OVF has a disk with a parent: {}", printable(disk.id));
  auto const unit = unit_of(attribute(node, "capacityAllocationUnits").value_or("byte"));
  if (!unit) return fail(unit.error());
  auto const text = attribute(node, "capacity").value_or("");
  auto const capacity = parse_number(text, 1, max_virtual_size.value / *unit);
  if (!capacity) return refuse("has a disk of the capacity ", text);
  disk.capacity = {*capacity * *unit};
  return disk;
}

Result<OvfProperty> read_property(pugi::xml_node const& node, OvfProduct const& product) {
  OvfProperty property{product.class_name, attribute(node, "key").value_or(""), product.instance,
                       attribute(node, "type").value_or("string"), attribute(node, "value").value_or("")};
  if (property.key.empty() || property.key.find_first_of(".:") != std::string::npos) {
    return refuse("has a property with the key ", property.key);
  }
  auto const configurable = truth(node, "userConfigurable");
  if (!configurable) return fail(configurable.error());
  auto const password = truth(node, "password");
  if (!password) return fail(password.error());
  property.user_configurable = *configurable;
  property.password = *password;
  return property;
}

class Reader {
public:
  Result<Ovf> read(pugi::xml_node const& envelope) {
    for (auto const& section : envelope.children()) {
      if (auto const fine = read_section(section); !fine) return fail(fine.error());
    }
    return std::move(ovf_);
  }

private:
  Result<> read_section(pugi::xml_node const& section) {
    if (is_element(section, "References")) return read_each(section, "File", &read_file, ovf_.files);
    if (is_element(section, "DiskSection")) return read_each(section, "Disk", &read_disk, ovf_.disks);
    if (is_element(section, "ProductSection")) return read_product(section);
    bool const machines = is_element(section, "VirtualSystem") || is_element(section, "VirtualSystemCollection");
    if (!machines) return {};
    for (auto const& inner : section.children()) {
      if (auto const fine = read_section(inner); !fine) return fine;
    }
    return {};
  }

  template <class Item>
  static Result<> read_each(pugi::xml_node const& section, std::string_view word,
                            Result<Item> (*read)(pugi::xml_node const&), std::vector<Item>& into) {
    for (auto const& node : section.children()) {
      if (!is_element(node, word)) continue;
      auto item = read(node);
      if (!item) return fail(item.error());
      into.push_back(std::move(*item));
    }
    return {};
  }

  Result<> read_product(pugi::xml_node const& section) {
    auto const& product = ovf_.products.emplace_back(
        OvfProduct{attribute(section, "class").value_or(""), attribute(section, "instance").value_or(""),
                   text_of(section, "Product"), text_of(section, "Vendor"), text_of(section, "Version")});
    for (auto const& node : section.children()) {
      if (!is_element(node, "Property")) continue;
      auto property = read_property(node, product);
      if (!property) return fail(property.error());
      ovf_.properties.push_back(std::move(*property));
    }
    return {};
  }

  Ovf ovf_;
};

}  // namespace

Result<Ovf> read_ovf(std::string_view xml) {
  if (!is_utf8(xml) || xml.find('\0') != xml.npos) return refuse("is not a text in UTF-8");
  pugi::xml_document document;
  auto const parsed = document.load_buffer(
      xml.data(), xml.size(), pugi::parse_default | pugi::parse_doctype | pugi::parse_declaration, pugi::encoding_utf8);
  if (!parsed) return refuse("is not XML: ", parsed.description());
  Strictness strictness;
  if (!document.traverse(strictness)) return refuse(strictness.why());
  auto const envelope = document.document_element();
  if (!is_element(envelope, "Envelope") || envelope.next_sibling()) return refuse("has no Envelope alone");
  return Reader{}.read(envelope);
}

}  // namespace imageswarm::image
