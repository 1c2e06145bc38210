#include "common/image/ovf.hpp"

#include <algorithm>
#include <iterator>

#include "common/base/text.hpp"
#include "common/image/inspect.hpp"
#include "common/image/ovf_xml.hpp"

namespace imageswarm::image {
namespace {

std::string text_of(pugi::xml_node const& parent, std::string_view word) {
  for (auto const& child : parent.children()) {
    if (is_element(child, word)) return child.text().get();
  }
  return {};
}

Result<bool> truth(pugi::xml_node const& node, std::string_view word) {
  auto const text = attribute(node, word).value_or("false");
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return refuse_ovf("says neither true nor false: ", text);
}

Result<OvfFile> read_file(pugi::xml_node const& node) {
  OvfFile file{attribute(node, "id").value_or(""), attribute(node, "href").value_or(""), {}};
  if (file.id.empty() || file.href.empty()) return refuse_ovf("refers to a file without id or href");
  if (attribute(node, "compression").value_or("identity") != "identity") return refuse_ovf("has packed files");
  if (attribute(node, "chunkSize")) return refuse_ovf("has files in several pieces");
  if (auto const size = attribute(node, "size")) {
    auto const bytes = parse_number(*size, 0, INT64_MAX);
    if (!bytes) return refuse_ovf("has a file of the size ", *size);
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
  if (!exponent) return refuse_ovf("counts in the unit ", text);
  return std::uint64_t{1} << *exponent;
}

Result<OvfDisk> read_disk(pugi::xml_node const& node) {
  OvfDisk disk{attribute(node, "diskId").value_or(""),
               attribute(node, "fileRef").value_or(""),
               attribute(node, "format").value_or(""),
               {}};
  if (disk.id.empty()) return refuse_ovf("has a disk without a name");
  if (attribute(node, "parentRef"))
    return fail(Fault::image_backing_file, "the OVF has a disk with a parent: {}", printable(disk.id));
  auto const unit = unit_of(attribute(node, "capacityAllocationUnits").value_or("byte"));
  if (!unit) return fail(unit.error());
  auto const text = attribute(node, "capacity").value_or("");
  auto const capacity = parse_number(text, 1, max_virtual_size.value / *unit);
  if (!capacity) return refuse_ovf("has a disk of the capacity ", text);
  disk.capacity = {*capacity * *unit};
  return disk;
}

Result<OvfProperty> read_property(pugi::xml_node const& node, OvfProduct const& product) {
  OvfProperty property{product.class_name, attribute(node, "key").value_or(""), product.instance,
                       attribute(node, "type").value_or("string"), attribute(node, "value").value_or("")};
  if (property.key.empty() || property.key.find_first_of(".:") != std::string::npos) {
    return refuse_ovf("has a property with the key ", property.key);
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
  pugi::xml_document document;
  if (auto const loaded = load_ovf(xml, document); !loaded) return fail(loaded.error());
  return Reader{}.read(document.document_element());
}

}  // namespace imageswarm::image
