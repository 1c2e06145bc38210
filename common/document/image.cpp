#include <algorithm>
#include <array>
#include <bit>
#include <concepts>

#include "common/base/text.hpp"
#include "common/document/fields.hpp"
#include "common/document/forms.hpp"
#include "common/document/glance_property.hpp"
#include "common/document/members.hpp"
#include "common/document/model.hpp"

namespace imageswarm::document {
namespace {

constexpr std::uint64_t max_32_bit = UINT32_MAX;
constexpr std::string_view file_name_form = "a file name ([A-Za-z0-9][A-Za-z0-9._-]*, at most 128 characters)";
constexpr std::string_view image_name_form = "an image's name ([A-Za-z0-9][A-Za-z0-9 ._+()-]*, at most 128 characters)";

Result<std::uint64_t> piece_length(yaml::Value const& value) {
  auto bytes = number(16 << 10, 16 << 20)(value);
  if (bytes && !std::has_single_bit(*bytes)) return fail(Fault::doc_field, "{} is not a power of two", *bytes);
  return bytes;
}

Result<> any_name(std::string_view) {
  return {};
}

/// What chunks demand of the rest of the entry: they are zstd, and no v1 client knows their torrents.
Result<Chunks> checked_chunks(Image const& image, std::optional<ByteCount> size) {
  auto const& torrent = image.torrent;
  if (!size) return fail(Fault::torrent_layout, "'chunks' need a chunk-size");
  if (torrent.compression != Compression::zstd) return fail(Fault::torrent_layout, "'chunks' are compressed with zstd");
  if (torrent.info_hash_v1) return fail(Fault::torrent_layout, "'chunks' have no torrent-info-hash-v1");
  auto chunks = chunks_of(image.content_size, *size);
  if (!chunks) return fail(Fault::torrent_layout, "chunk-size: {}", chunks.error().what);
  return chunks;
}

void read_layout(Fields& fields, Image& image, std::size_t line) {
  std::string layout = "file";
  std::optional<ByteCount> chunk_size;
  fields.optional("torrent-layout", layout, one_of({"file", "chunks"}));
  fields.optional("chunk-size", chunk_size, size);
  if (layout == "file" && chunk_size) {
    fields.refuse({Fault::torrent_layout, "only the layout 'chunks' has one"}, "chunk-size", line);
  }
  if (layout == "file" || !fields.outcome()) return;
  auto const chunks = checked_chunks(image, chunk_size);
  if (!chunks) return fields.refuse(chunks.error(), "torrent-layout", line);
  image.torrent.chunks = *chunks;
}

void read_torrent(Fields& fields, Torrent& torrent) {
  fields.required("torrent-name", torrent.name, fitting(is_file_name, file_name_form));
  fields.required("torrent-file-sha256", torrent.file_sha256, scalar(Sha256::parse));
  fields.required("torrent-file-size", torrent.file_size, size);
  fields.required("torrent-info-hash-v2", torrent.info_hash_v2, scalar(Sha256::parse));
  fields.optional("torrent-info-hash-v1", torrent.info_hash_v1, scalar(Sha1::parse));
  fields.required("torrent-creation-time", torrent.created, scalar(parse_time));
  fields.required("download-url", torrent.download_url, download_url);
  fields.required("torrent-piece-length", torrent.piece_length.value, piece_length);
  fields.optional("torrent-ssl", torrent.ssl, boolean);
  fields.required("torrent-content-name", torrent.content_name, fitting(is_file_name, file_name_form));
  fields.required("torrent-content-size", torrent.content_size, size);
  fields.required("torrent-content-sha256", torrent.content_sha256, scalar(Sha256::parse));
  fields.optional("torrent-content-compressed", torrent.compression, scalar(parse_compression));
}

void read_identity(Fields& fields, Image& image) {
  fields.required("uuid", image.uuid, scalar(Uuid::parse));
  fields.required("name", image.name, fitting(is_image_name, image_name_form));
  fields.optional("description", image.description, text);
  fields.required("image-version", image.version, scalar(Version::parse));
  fields.required("image-id", image.image_id, scalar(Uuid::parse));
  fields.optional("os-distro", image.os_distro, line);
  fields.optional("os-version", image.os_version, line);
  fields.optional("architecture", image.architecture, line);
  fields.optional("hypervisor", image.hypervisor, line);
  fields.optional("vo-tags", image.vo_tags, list_of(line));
  fields.required("produced", image.produced, scalar(parse_time));
  fields.optional("endorsed", image.endorsed, scalar(parse_time));
  fields.optional("expires", image.expires, scalar(parse_time));
  fields.optional("local-endorser", image.local_endorser, line);
  fields.optional("shareable", image.shareable, boolean);
}

void read_placement(Fields& fields, Image& image) {
  fields.optional("volume-name", image.volume_name, fitting(is_file_name, file_name_form));
  fields.optional("volume-size", image.volume_size, size);
  fields.optional("distribution-cluster", image.clusters, list_of(line));
  fields.optional("distribution-subcluster", image.subclusters, list_of(line));
  fields.optional("distribution-hosts", image.hosts, list_of(line));
}

void read_content(Fields& fields, Image& image) {
  fields.required("disk-format", image.disk_format,
                  one_of({"raw", "qcow2", "vmdk", "vdi", "vhd", "vhdx", "ploop", "iso", "aki", "ari", "ami"}));
  fields.optional("container-format", image.container_format,
                  one_of({"bare", "ova", "ovf", "aki", "ari", "ami", "docker", "compressed"}));
  fields.required("content-size", image.content_size, size);
  fields.required("content-sha256", image.content_sha256, scalar(Sha256::parse));
  fields.required("content-sha512", image.content_sha512, scalar(Sha512::parse));
}

void read_wishes(Fields& fields, Image& image) {
  fields.texts("glance-properties", image.glance_properties, check_glance_property);
  fields.optional("glance-tags", image.glance_tags, list_of(line));
  fields.optional("min-disk", image.min_disk_gib, number(0, max_32_bit));
  fields.optional("min-ram", image.min_ram_mib, number(0, max_32_bit));
  fields.optional("visibility", image.visibility, one_of({"private", "shared", "community", "public"}));
  fields.texts("ovf-properties", image.ovf_properties, any_name);
}

void add_torrent(Members& members, Torrent const& torrent) {
  members.add("torrent-name", torrent.name);
  members.add("torrent-file-sha256", torrent.file_sha256.hex());
  members.add("torrent-file-size", torrent.file_size);
  members.add("torrent-info-hash-v2", torrent.info_hash_v2.hex());
  if (torrent.info_hash_v1) members.add("torrent-info-hash-v1", torrent.info_hash_v1->hex());
  members.add("torrent-creation-time", torrent.created);
  members.add("download-url", torrent.download_url);
  members.add("torrent-layout", std::string{torrent.chunks ? "chunks" : "file"});
  if (torrent.chunks) members.add("chunk-size", torrent.chunks->size);
  members.add("torrent-piece-length", torrent.piece_length);
  if (torrent.ssl) members.add("torrent-ssl", true);
  members.add("torrent-content-name", torrent.content_name);
  members.add("torrent-content-size", torrent.content_size);
  members.add("torrent-content-sha256", torrent.content_sha256.hex());
  members.add("torrent-content-compressed", name_of(torrent.compression));
}

void add_description(Members& members, Image const& image) {
  members.add("uuid", image.uuid.text());
  members.add("name", image.name);
  members.add("description", image.description);
  members.add("image-version", image.version.text);
  members.add("image-id", image.image_id.text());
  members.add("os-distro", image.os_distro);
  members.add("os-version", image.os_version);
  members.add("architecture", image.architecture);
  members.add("hypervisor", image.hypervisor);
  members.add("vo-tags", image.vo_tags);
  members.add("produced", image.produced);
  if (image.endorsed != TimePoint{}) members.add("endorsed", image.endorsed);
  if (image.expires) members.add("expires", *image.expires);
  members.add("local-endorser", image.local_endorser);
  members.add("shareable", image.shareable);
  members.add("volume-name", image.volume_name);
  if (image.volume_size) members.add("volume-size", *image.volume_size);
  members.add("distribution-cluster", image.clusters);
  members.add("distribution-subcluster", image.subclusters);
  members.add("distribution-hosts", image.hosts);
  members.add("disk-format", image.disk_format);
  members.add("container-format", image.container_format);
}

}  // namespace

std::string_view name_of(Compression compression) {
  static constexpr std::array<std::string_view, 5> names{"none", "gzip", "xz", "zstd", "bzip2"};
  return names[static_cast<std::size_t>(compression)];
}

Result<Compression> parse_compression(std::string_view text) {
  for (auto each : {Compression::none, Compression::gzip, Compression::xz, Compression::zstd, Compression::bzip2}) {
    if (name_of(each) == text) return each;
  }
  return fail(Fault::doc_field, "'{}' is none of none, gzip, xz, zstd, bzip2", printable(text));
}

Result<Chunks> chunks_of(ByteCount content, ByteCount chunk_size) {
  if (!std::has_single_bit(chunk_size.value) || chunk_size < min_chunk_size || chunk_size > max_chunk_size) {
    return fail(Fault::doc_field, "{} is not a power of two from {} to {}", chunk_size.value, human(min_chunk_size),
                human(max_chunk_size));
  }
  auto const count = content.value / chunk_size.value + (content.value % chunk_size.value != 0 ? 1 : 0);
  if (count < 2) {  // libtorrent puts a single file beside the directory that it should be in
    return fail(Fault::doc_field, "{} of content are one chunk alone: the layout is 'file'", human(content));
  }
  if (count > max_chunks) {
    return fail(Fault::doc_field, "{} of content in chunks of {} are more than {} chunks", human(content),
                human(chunk_size), max_chunks);
  }
  return Chunks{chunk_size, static_cast<std::uint32_t>(count)};
}

std::string chunk_name(std::uint32_t index) {
  return fmt::format("{:06}.zst", index);
}

Result<Version> Version::parse(std::string_view text) {
  auto const is_number = [](std::string_view part) {
    return !part.empty() && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
  };
  if (text.size() <= 128 && std::ranges::all_of(split(text, '.'), is_number)) return Version{std::string{text}};
  return fail(Fault::doc_field, "'{}' is not a version: a number, or numbers with dots between", printable(text));
}

std::strong_ordering Version::operator<=>(Version const& other) const {
  auto const ours = split(text, '.'), theirs = split(other.text, '.');
  // By length and then letter by letter, so that a number may have any length.
  auto const compare = [](std::string_view a, std::string_view b) {
    a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
    b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
    auto const length = a.size() <=> b.size();
    return length != 0 ? length : a <=> b;
  };
  return std::lexicographical_compare_three_way(ours.begin(), ours.end(), theirs.begin(), theirs.end(), compare);
}

Uuid image_id_of(Uuid const& family, Sha256 const& content) {
  return Uuid::named(family, content.hex());
}

yaml::Value to_value(Image const& image) {
  Members members;
  add_description(members, image);
  add_torrent(members, image.torrent);
  members.add("content-size", image.content_size);
  members.add("content-sha256", image.content_sha256.hex());
  members.add("content-sha512", image.content_sha512.hex());
  members.add("glance-properties", image.glance_properties);
  members.add("glance-tags", image.glance_tags);
  if (image.min_disk_gib) members.add("min-disk", std::to_string(*image.min_disk_gib));
  if (image.min_ram_mib) members.add("min-ram", std::to_string(*image.min_ram_mib));
  members.add("visibility", image.visibility);
  members.add("ovf-properties", image.ovf_properties);
  members.add(image.extra);
  return {std::move(members).map()};
}

Result<Image> image_from(yaml::Value const& value) {
  Image image;
  Fields fields{value};
  read_identity(fields, image);
  read_placement(fields, image);
  read_content(fields, image);
  read_torrent(fields, image.torrent);
  read_layout(fields, image, value.line);
  read_wishes(fields, image);
  auto const demanded = image_id_of(image.uuid, image.content_sha256);
  if (fields.outcome() && image.image_id != demanded) {
    fields.refuse({Fault::doc_field, fmt::format("family and content give {}", demanded.text())}, "image-id",
                  value.find("image-id")->line);
  }
  // Names of one length, of which none is the beginning of another: docs/security.md, "Private images".
  if (fields.outcome() && image.torrent.ssl && image.torrent.content_name != image.image_id.text()) {
    fields.refuse({Fault::doc_field, "with torrent-ssl it is the image ID"}, "torrent-content-name",
                  value.find("torrent-content-name")->line);
  }
  image.extra = fields.rest();
  return fields.outcome().map([&] { return std::move(image); });
}

}  // namespace imageswarm::document
