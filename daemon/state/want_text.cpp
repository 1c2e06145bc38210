#include "daemon/state/want_text.hpp"

#include <utility>

#include "common/document/model.hpp"
#include "common/yaml/value.hpp"

namespace imageswarm::state {
namespace {

yaml::Value text_value(std::string text) {
  return {std::move(text), 0};
}

yaml::Value list_value(std::vector<std::string> const& items) {
  yaml::Value::List list;
  for (auto const& item : items) list.push_back(text_value(item));
  return {std::move(list), 0};
}

yaml::Value map_value(std::vector<std::pair<std::string, std::string>> items) {
  yaml::Value::Map map;
  for (auto& [key, text] : items) map.push_back({std::move(key), text_value(std::move(text)), 0});
  return {std::move(map), 0};
}

/// Reads members of a map one after the other and remembers the first that is not as we write it.
class Reader {
public:
  explicit Reader(yaml::Value const* map) : map_{map != nullptr && map->is_map() ? map : nullptr} {}

  yaml::Value const* find(std::string_view key) const { return map_ == nullptr ? nullptr : map_->find(key); }

  std::string text(std::string_view key) {
    auto const* value = find(key);
    if (value != nullptr && value->is_text()) return value->text();
    fault_ = fault_.value_or(Error{Fault::doc_field, fmt::format("'{}' is not there", key)});
    return {};
  }

  std::vector<std::string> texts(std::string_view key) const {
    std::vector<std::string> items;
    auto const* value = find(key);
    if (value == nullptr || !value->is_list()) return items;
    for (auto const& item : value->list()) {
      if (item.is_text()) items.push_back(item.text());
    }
    return items;
  }

  template <class T>
  void parse(std::string_view key, T& into, Result<T> (*parser)(std::string_view)) {
    auto value = parser(text(key));
    if (value) {
      into = std::move(*value);
    } else {
      fault_ = fault_.value_or(std::move(value.error()));
    }
  }

  std::optional<Error> const& fault() const { return fault_; }

private:
  yaml::Value const* map_;
  std::optional<Error> fault_;
};

Result<std::uint64_t> parse_serial(std::string_view text) {
  return parse_number(text, 0, document::max_serial);
}

}  // namespace

std::string write(flow::Want const& want) {
  auto const& origin = want.provenance;
  auto const& signer = want.endorser;
  yaml::Value::Map map;
  map.push_back({"image", document::to_value(want.image), 0});
  map.push_back({"provenance",
                 map_value({{"catalogue", origin.catalogue},
                            {"catalogue-url", origin.catalogue_url},
                            {"serial", fmt::to_string(origin.serial)},
                            {"catalogue-sha256", origin.catalogue_digest.hex()},
                            {"endorser", origin.endorser},
                            {"approval", origin.approval}}),
                 0});
  map.push_back({"endorser",
                 map_value({{"subject", signer.subject.text()},
                            {"issuer", signer.issuer.text()},
                            {"certificate-expires", format_time(signer.certificate_expires)}}),
                 0});
  map.push_back({"torrent-url", text_value(want.torrent_url), 0});
  map.push_back({"trackers", list_value(want.trackers), 0});
  map.push_back({"web-seeds", list_value(want.web_seeds), 0});
  if (want.derived_from) map.push_back({"derived-from", text_value(want.derived_from->text()), 0});
  return yaml::write({std::move(map), 0});
}

Result<flow::Want> read_want(std::string_view text) {
  auto const value = yaml::parse(text);
  if (!value) return fail(value.error());
  Reader top{&*value};
  flow::Want want;
  auto const* entry = top.find("image");
  if (entry == nullptr) return fail(Fault::doc_field, "'image' is not there");
  auto image = document::image_from(*entry);
  if (!image) return fail(std::move(image.error()));
  want.image = std::move(*image);
  want.torrent_url = top.text("torrent-url");
  want.trackers = top.texts("trackers");
  want.web_seeds = top.texts("web-seeds");
  if (top.find("derived-from")) top.parse("derived-from", want.derived_from.emplace(), Uuid::parse);

  Reader origin{top.find("provenance")};
  want.provenance.catalogue = origin.text("catalogue");
  want.provenance.catalogue_url = origin.text("catalogue-url");
  origin.parse("serial", want.provenance.serial, parse_serial);
  origin.parse("catalogue-sha256", want.provenance.catalogue_digest, Sha256::parse);
  want.provenance.endorser = origin.text("endorser");
  want.provenance.approval = origin.text("approval");

  Reader signer{top.find("endorser")};
  signer.parse("subject", want.endorser.subject, trust::DistinguishedName::parse);
  signer.parse("issuer", want.endorser.issuer, trust::DistinguishedName::parse);
  signer.parse("certificate-expires", want.endorser.certificate_expires, parse_time);

  for (auto const* reader : {&top, &origin, &signer}) {
    if (reader->fault()) return fail(*reader->fault());
  }
  return want;
}

}  // namespace imageswarm::state
