#include "indexer/exchange/cern.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "common/document/fields.hpp"
#include "common/document/forms.hpp"
#include "common/http/client.hpp"
#include "common/yaml/value.hpp"
#include "indexer/exchange/vocabulary.hpp"

namespace imageswarm::exchange {
namespace {

using document::fitting;
using document::scalar;

/// The namespace of families whose `uuid` is none: UUIDv5 of its text (docs/formats.md §8).
constexpr std::string_view family_namespace = "c0a2b1de-40b6-4b39-9c1e-7f5d1f7c2010";
constexpr std::string_view file_name_form = "a file name of letters, digits and ._-";

Result<std::string> words(yaml::Value const& value) {
  if (!value.is_text()) return fail(Fault::import_field, "it is not a single value");
  return plain_text(value.text());
}

/// A list, or a text with several words.
Result<std::vector<std::string>> names(yaml::Value const& value) {
  if (value.is_list()) return document::list_of(words)(value);
  auto text = words(value);
  if (!text) return fail(std::move(text.error()));
  std::ranges::replace(*text, ',', ' ');
  std::vector<std::string> found;
  for (auto const name : split(*text, ' ')) {
    if (!name.empty()) found.emplace_back(name);
  }
  return found;
}

Result<Sha1> sha1(std::string_view text) {
  return Sha1::parse(lower_case(trimmed(text)));
}

Result<Uuid> family_of(std::string_view text) {
  if (auto const uuid = Uuid::parse(text)) return uuid;
  return Uuid::named(*Uuid::parse(family_namespace), text);
}

Result<document::Compression> compression_of(std::string const& compressed, std::string_view name) {
  if (lower_case(compressed) != "y") return document::Compression::none;
  if (name.ends_with(".gz")) return document::Compression::gzip;
  return fail(Fault::import_field, "torrent-content-compressed: only .gz can be unpacked");
}

Result<ForeignImage> read_entry(yaml::Value const& value) {
  ForeignImage image;
  TorrentPromise torrent;
  std::string volume, created, compressed, endorser;
  std::vector<std::string> clusters, subclusters, hosts;
  document::Fields fields{value};
  fields.required("uuid", image.family, scalar(family_of));
  fields.required("image-version", image.version, scalar(version_of));
  fields.required("torrent-name", torrent.name, fitting(document::is_file_name, file_name_form));
  fields.required("torrent-file-sha1", torrent.sha1, scalar(sha1));
  fields.required("download-url", torrent.url, words);
  fields.required("torrent-content-name", image.file, fitting(document::is_file_name, file_name_form));
  fields.required("volume-name", volume, fitting(document::is_file_name, file_name_form));
  fields.optional("volume-size", image.unpacked_at_most, scalar(parse_size));
  fields.optional("torrent-content-compressed", compressed, words);
  fields.optional("torrent-creation-time", created, words);
  fields.optional("distribution-cluster", clusters, names);
  fields.optional("distribution-subcluster", subclusters, names);
  fields.optional("distribution-hosts", hosts, names);
  fields.optional("local-endorser", endorser, words);
  if (!fields.outcome()) return fail(fields.outcome().error());

  auto const compression = compression_of(compressed, image.file);
  if (!compression) return fail(compression.error());
  auto const url = http::resolve(torrent.url, image.file);
  if (!url) return fail(url.error());
  image.url = *url;
  image.packed = *compression;
  image.name = image_name_of(volume);
  image.disk_format = "raw";  // what a logical volume is filled with
  image.torrent = std::move(torrent);
  auto const put = [&image](char const* key, std::vector<std::string> texts) {
    if (!texts.empty() && !texts.front().empty()) image.entry[key] = std::move(texts);
  };
  put("volume-name", {volume});
  if (image.unpacked_at_most) put("volume-size", {std::to_string(image.unpacked_at_most->value)});
  put("local-endorser", {endorser});
  put("distribution-cluster", std::move(clusters));
  put("distribution-subcluster", std::move(subclusters));
  put("distribution-hosts", std::move(hosts));
  if (auto const time = parse_mail_time(created)) put("produced", {format_time(*time)});
  return image;
}

}  // namespace

Result<ForeignList> parse_cern(std::string_view yaml) {
  auto const top = yaml::parse(yaml);
  if (!top) return fail(top.error());
  ForeignList list;
  list.title = "CERN torrent index";
  for (auto const& member : top->map()) {
    if (!member.key.starts_with("torrent-id_")) continue;
    auto image = read_entry(member.value);
    if (image) {
      list.images.push_back(std::move(*image));
    } else {
      list.skipped.push_back(fmt::format("{}: {}", printable(member.key), image.error().what));
    }
  }
  if (list.images.empty() && list.skipped.empty()) {
    return fail(Fault::import_format, "it is not a CERN torrent index: it has no torrent-id_…");
  }
  list.warnings.emplace_back("nothing in it could be verified");
  return list;
}

}  // namespace imageswarm::exchange
