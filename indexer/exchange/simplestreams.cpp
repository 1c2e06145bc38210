#include "indexer/exchange/simplestreams.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>

#include "common/base/text.hpp"
#include "common/document/fields.hpp"
#include "common/document/forms.hpp"
#include "indexer/exchange/json.hpp"
#include "indexer/exchange/vocabulary.hpp"

namespace imageswarm::exchange {
namespace {

constexpr std::size_t max_images = 10'000;
/// The namespace of families: UUIDv5 of content ID, blank and product (docs/formats.md §8).
constexpr std::string_view family_namespace = "5a1b0c34-6f1d-4f0e-9c57-3f6a0d0a7c11";

Result<std::string> words(yaml::Value const& value) {
  if (!value.is_text()) return fail(Fault::import_field, "it is not a single value");
  return plain_text(value.text());
}

/// The keys of a map that are maps themselves.
std::vector<yaml::Member const*> maps_in(yaml::Value const* value) {
  std::vector<yaml::Member const*> maps;
  if (!value || !value->is_map()) return maps;
  for (auto const& member : value->map()) {
    if (member.value.is_map()) maps.push_back(&member);
  }
  return maps;
}

/// An item with what it inherits, the item itself first.
struct Levels {
  std::array<yaml::Value const*, 4> maps;

  std::string operator[](std::string_view key) const {
    for (auto const* map : maps) {
      if (auto const* value = map ? map->find(key) : nullptr; value && value->is_text())
        return plain_text(value->text());
    }
    return {};
  }
};

/// The lower, the better; nothing for what is no disk image.
std::optional<std::size_t> rank_of(std::string_view ftype) {
  static constexpr std::array<std::string_view, 3> best{"disk1.img", "disk.img", "disk-kvm.img"};
  auto const at = static_cast<std::size_t>(std::ranges::find(best, ftype) - best.begin());
  if (at < best.size() || ftype.ends_with(".img") || ftype.ends_with(".qcow2")) return at;
  return {};
}

struct Product {
  std::string const& content_id;
  std::string const& root;
  yaml::Value const& top;
  yaml::Member const& product;
};

Levels levels_of(Product const& where, yaml::Member const& version, yaml::Value const* item) {
  return {{item, &version.value, &where.product.value, &where.top}};
}

/// The one disk image of a version, if it has any.
yaml::Member const* choose_item(Product const& where, yaml::Member const& version) {
  yaml::Member const* chosen = nullptr;
  std::optional<std::size_t> rank;
  for (auto const* item : maps_in(version.value.find("items"))) {
    auto const its = rank_of(levels_of(where, version, &item->value)["ftype"]);
    bool const better = its && (!rank || *its < *rank || (*its == *rank && item->key < chosen->key));
    if (!better) continue;
    chosen = item;
    rank = its;
  }
  return chosen;
}

bool is_wanted(Levels const& levels, std::string const& product, StreamFilter const& filter) {
  return (filter.product.empty() || matches_glob(filter.product, product)) &&
         (filter.architecture.empty() || architecture_of(levels["arch"]) == architecture_of(filter.architecture)) &&
         (filter.release.empty() || levels["release"] == filter.release || levels["version"] == filter.release);
}

/// May the path be joined to the root of a mirror?
bool stays_in_mirror(std::string const& path) {
  auto const parts = split(path, '/');
  return std::ranges::none_of(parts,
                              [](std::string_view part) { return part.empty() || part == "." || part == ".."; }) &&
         path.find_first_of("?#\\") == path.npos;
}

/// "worker-9-20260110" of version 20260110 is one name for all versions: "worker-9".
std::string name_of(std::string published, std::string const& version, std::string const& product) {
  if (auto const at = published.find("-" + version); at != published.npos) published.erase(at, version.size() + 1);
  return image_name_of(published.empty() ? product : published);
}

template <class D>
Result<std::optional<D>> digest(std::string const& hex) {
  if (hex.empty()) return std::optional<D>{};
  return D::parse(lower_case(hex)).map([](D const& read) { return std::optional{read}; });
}

Result<ForeignImage> read_item(Product const& where, yaml::Member const& version, yaml::Member const& item) {
  auto const levels = levels_of(where, version, &item.value);
  auto const text = [&](std::string_view key) { return levels[key]; };
  ForeignImage image;
  image.family = Uuid::named(*Uuid::parse(family_namespace), where.content_id + " " + where.product.key);
  image.name = name_of(text("pubname"), version.key, where.product.key);
  auto const number = version_of(version.key);
  if (!number) return fail(number.error());
  image.version = *number;
  image.file = text("path");
  if (!stays_in_mirror(image.file)) return fail(Fault::import_field, "path: '{}' is no path", printable(image.file));
  image.url = where.root + image.file;
  if (auto const size = text("size"); !size.empty()) {
    auto const bytes = parse_number(size, 1, document::max_number);
    if (!bytes) return fail(Fault::import_field, "size: {}", bytes.error().what);
    image.size = ByteCount{*bytes};
  }
  auto const sha256 = digest<Sha256>(text("sha256"));
  auto const sha512 = digest<Sha512>(text("sha512"));
  if (!sha256 || !sha512 || (!*sha256 && !*sha512)) return fail(Fault::import_field, "it has no sha256 or sha512");
  image.sha256 = *sha256;
  image.sha512 = *sha512;
  auto const put = [&image](char const* key, std::string value) {
    if (!value.empty()) image.entry[key] = {std::move(value)};
  };
  put("description", text("release_title").empty() ? text("pubname") : text("os") + " " + text("release_title"));
  put("architecture", architecture_of(text("arch")));
  put("os-distro", distribution_of(text("os")));
  put("os-version", text("version"));
  image.entry["glance-properties"] = {"source_content_id=" + where.content_id, "product_name=" + where.product.key,
                                      "version_name=" + version.key, "item_name=" + item.key};
  return image;
}

/// The newest versions of a product that have a disk image, as byte order says.
void read_product(Product const& where, StreamFilter const& filter, ForeignList& list) {
  std::map<std::string_view, yaml::Member const*, std::greater<>> versions;
  for (auto const* version : maps_in(where.product.value.find("versions"))) versions[version->key] = version;
  std::size_t taken = 0;
  for (auto const& [key, version] : versions) {
    auto const* item = choose_item(where, *version);
    if (!item || !is_wanted(levels_of(where, *version, &item->value), where.product.key, filter)) continue;
    if (++taken > filter.newest) break;
    if (auto image = read_item(where, *version, *item)) {
      list.images.push_back(std::move(*image));
    } else {
      list.skipped.push_back(printable(fmt::format("{} {}: {}", where.product.key, key, image.error().what), 500));
    }
  }
}

Result<yaml::Value> parse_format(std::string_view json, std::string_view format) {
  auto top = parse_json(json);
  if (!top) return top;
  auto const* found = top->find("format");
  if (found && found->is_text() && found->text() == format) return top;
  return fail(Fault::import_format, "it is not {} of simplestreams", format);
}

/// The time of an update as a version: both grow.
Result<document::Version> update(yaml::Value const& value) {
  return document::scalar(parse_mail_time)(value).and_then(
      [](TimePoint at) { return version_of(std::to_string(at.time_since_epoch().count())); });
}

}  // namespace

bool is_stream_index(std::string_view json) {
  return parse_format(json, "index:1.0").has_value();
}

Result<StreamIndex> parse_stream_index(std::string_view json) {
  auto const top = parse_format(json, "index:1.0");
  if (!top) return fail(top.error());
  StreamIndex index;
  document::Fields fields{*top};
  fields.required("updated", index.version, update);
  if (!fields.outcome()) return fail(Fault::import_field, "{}", fields.outcome().error().what);
  for (auto const* content : maps_in(top->find("index"))) {
    Levels const levels{{&content->value, nullptr, nullptr, nullptr}};
    if (levels["datatype"] != "image-downloads" || levels["format"] != "products:1.0") continue;
    auto const path = levels["path"];
    if (!stays_in_mirror(path)) {
      return fail(Fault::import_field, "{}: '{}' is no path", printable(content->key), printable(path));
    }
    index.contents.push_back({content->key, path});
  }
  return index;
}

Result<ForeignList> parse_products(std::string_view json, std::string const& root, StreamFilter const& filter) {
  auto const top = parse_format(json, "products:1.0");
  if (!top) return fail(top.error());
  ForeignList list;
  document::Fields fields{*top};
  fields.required("content_id", list.id, words);
  fields.required("updated", list.version, update);
  if (!fields.outcome()) return fail(Fault::import_field, "{}", fields.outcome().error().what);
  list.title = list.id;
  for (auto const* product : maps_in(top->find("products"))) {
    read_product({list.id, root, *top, *product}, filter, list);
    if (list.images.size() > max_images) return fail(Fault::too_large, "more than {} images", max_images);
  }
  return list;
}

}  // namespace imageswarm::exchange
