#include "common/image/ovf_xml.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "common/base/text.hpp"

namespace imageswarm::image {
namespace {

/// Both of its versions mean the same to us, so they are one: the first.
constexpr std::array<std::string_view, 2> envelope_namespaces{"http://schemas.dmtf.org/ovf/envelope/1",
                                                              "http://schemas.dmtf.org/ovf/envelope/2"};
constexpr int max_depth = 32;
constexpr std::size_t max_attributes = 64;

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

}  // namespace

tl::unexpected<Error> refuse_ovf(std::string_view why, std::string_view what) {
  return fail(Fault::image_ovf, "the OVF {}{}", why, printable(what));
}

bool is_element(pugi::xml_node const& node, std::string_view word) {
  return meaning_of(node, std::string_view{node.name()}) == Meaning{envelope_namespaces.front(), word};
}

pugi::xml_attribute attribute_node(pugi::xml_node const& node, std::string_view word) {
  for (auto const& one : node.attributes()) {
    if (meaning_of(node, one) == Meaning{envelope_namespaces.front(), word}) return one;
  }
  return {};
}

std::optional<std::string> attribute(pugi::xml_node const& node, std::string_view word) {
  auto const one = attribute_node(node, word);
  return one ? std::optional<std::string>{one.value()} : std::nullopt;
}

Result<> load_ovf(std::string_view xml, pugi::xml_document& document) {
  if (!is_utf8(xml) || xml.find('\0') != xml.npos) return refuse_ovf("is not a text in UTF-8");
  auto const parsed = document.load_buffer(
      xml.data(), xml.size(), pugi::parse_default | pugi::parse_doctype | pugi::parse_declaration, pugi::encoding_utf8);
  if (!parsed) return refuse_ovf("is not XML: ", parsed.description());
  Strictness strictness;
  if (!document.traverse(strictness)) return refuse_ovf(strictness.why());
  auto const envelope = document.document_element();
  if (!is_element(envelope, "Envelope") || envelope.next_sibling()) return refuse_ovf("has no Envelope alone");
  return {};
}

}  // namespace imageswarm::image
