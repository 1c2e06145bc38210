#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/digest.hpp"
#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/base/uuid.hpp"
#include "common/yaml/value.hpp"

namespace imageswarm::document {

/// The three signed documents (docs/formats.md).
enum class Kind : std::uint8_t { catalogue, endorser_list, approval_list };
std::string_view name_of(Kind kind);  ///< "catalogue", "endorser-list", "approval-list"

/// Largest signed document we read.
inline constexpr ByteCount max_document_size = 16_MiB;
/// Most trackers, and most web seeds, that a catalogue may name.
inline constexpr std::size_t max_sources = 32;
/// The `format` we write and the highest we read.
inline constexpr int current_format = 1;
inline constexpr std::uint64_t max_serial = (1ull << 53) - 1;

/// What every signed document says of itself.
struct Header {
  Kind kind{};
  int format = current_format;
  std::string name;
  std::uint64_t epoch = 1;
  std::uint64_t serial = 1;
  TimePoint issued;
  TimePoint expires;
};

struct Endorser {
  std::string name;
  std::string subject;  ///< distinguished name, RFC 2253; what counts is the signature's
  std::string contact;
};

/// Integer or dotted digits; ordered part by part as numbers ("1.10" after "1.9"), a missing part counts as lowest.
struct Version {
  std::string text;
  [[nodiscard]] static Result<Version> parse(std::string_view text);
  std::strong_ordering operator<=>(Version const& other) const;
  bool operator==(Version const& other) const { return std::is_eq(*this <=> other); }
};

enum class Compression : std::uint8_t { none, gzip, xz, zstd, bzip2 };
std::string_view name_of(Compression compression);
[[nodiscard]] Result<Compression> parse_compression(std::string_view text);

/// Layout `chunks`: the content cut at fixed offsets, each part compressed by itself into a file of its own
/// (docs/formats.md, "Chunks").
struct Chunks {
  ByteCount size;           ///< of the content in each file; the last may have less
  std::uint32_t count = 0;  ///< as many as the content needs
  bool operator==(Chunks const&) const = default;
};
inline constexpr ByteCount min_chunk_size = 64_KiB;
/// However badly a chunk compresses, it fits into one piece.
inline constexpr ByteCount max_chunk_size = 8_MiB;
/// Each is a file on every host: half a terabyte in the largest chunks.
inline constexpr std::uint32_t max_chunks = 65536;
/// Faults: doc-field (no power of two within the limits, or more chunks than there may be).
[[nodiscard]] Result<Chunks> chunks_of(ByteCount content, ByteCount chunk_size);
/// The file of one chunk: "000000.zst".
std::string chunk_name(std::uint32_t index);

/// The torrent that an entry promises, to the bit.
struct Torrent {
  std::string name;  ///< of the torrent file
  Sha256 file_sha256;
  ByteCount file_size;
  Sha256 info_hash_v2;
  std::optional<Sha1> info_hash_v1;
  TimePoint created;
  std::string download_url;      ///< absolute, or relative to the catalogue's URL
  std::optional<Chunks> chunks;  ///< none: layout `file`
  ByteCount piece_length;
  bool ssl = false;
  std::string content_name;  ///< of the artefact: a file, or the directory of the chunks
  ByteCount content_size;    ///< of the artefact: with chunks their sum
  Sha256 content_sha256;     ///< of the artefact: with chunks of one after the other
  Compression compression = Compression::none;
};

/// One image: one version of one disk image, as a catalogue entry describes it.
struct Image {
  Uuid uuid;  ///< the family
  Uuid image_id;
  std::string name;
  std::string description;
  Version version;
  std::string os_distro, os_version, architecture, hypervisor;
  std::vector<std::string> vo_tags;
  TimePoint produced;
  TimePoint endorsed;
  std::optional<TimePoint> expires;
  std::string local_endorser;
  bool shareable = false;
  std::string volume_name;
  std::optional<ByteCount> volume_size;
  std::vector<std::string> clusters, subclusters, hosts;  ///< whom it is for; empty = everybody; hosts may use * and ?
  std::string disk_format;
  std::string container_format = "bare";
  Torrent torrent;
  ByteCount content_size;  ///< of the unpacked disk image
  Sha256 content_sha256;
  Sha512 content_sha512;
  std::map<std::string, std::string> glance_properties;
  std::vector<std::string> glance_tags;
  std::optional<std::uint32_t> min_disk_gib;
  std::optional<std::uint32_t> min_ram_mib;
  std::string visibility;
  std::map<std::string, std::string> ovf_properties;
  yaml::Value::Map extra;  ///< keys of newer publishers, kept as they are
};

/// The image ID that the content demands: UUIDv5(namespace family, lower-case hex of the content's SHA-256).
Uuid image_id_of(Uuid const& family, Sha256 const& content);

struct Withdrawal {
  Uuid image_id;
  Uuid uuid;
  TimePoint at;
  std::string reason;
};

/// An entry of `images` or `withdrawn` that cannot be used. The others can: one bad entry never blocks them.
struct RefusedEntry {
  std::string name;              ///< as far as it could be read
  std::optional<Uuid> image_id;  ///< likewise
  Error error;                   ///< names the entry and the line of what is wrong
  std::size_t line = 0;          ///< where the entry begins
};

struct Catalogue {
  Header header;
  Endorser endorser;
  std::vector<std::string> trackers;
  std::vector<std::string> web_seeds;
  std::vector<Image> images;
  std::vector<Withdrawal> withdrawn;
  std::vector<RefusedEntry> refused;  ///< found by reading; never written
  yaml::Value::Map extra;
};

/// One rule of an approval list or of `select`: all keys that are there must match.
struct Rule {
  std::optional<std::string> endorser;  ///< subject, RFC 2253 or slash form
  std::optional<std::string> issuer;
  std::optional<Uuid> uuid;
  std::optional<Uuid> image_id;
  std::optional<std::string> name;  ///< with * and ?
  std::optional<std::string> vo_tag;
  std::optional<std::string> os_distro;     ///< in `select` only
  std::optional<std::string> architecture;  ///< in `select` only
  bool all = false;
  std::string reason;  ///< of a recall
  /// One line for people: "endorser CN=Ada, name 'debian-*'".
  std::string describe() const;
};

struct ApprovalList {
  Header header;
  std::vector<Rule> approve;
  std::vector<Rule> recall;
  yaml::Value::Map extra;
};

/// Somebody who may endorse one catalogue.
struct Endorsement {
  std::string name;     ///< of the person, for people
  std::string subject;  ///< RFC 2253 or slash form
  std::string issuer;   ///< likewise
  std::string contact;
  std::string catalogue;    ///< absolute URL
  std::string document;     ///< name of the catalogue
  std::uint64_t epoch = 1;  ///< of the catalogue
  bool operator==(Endorsement const&) const = default;
};

/// Another list that this one builds on.
struct Inclusion {
  /// Somebody of the included list who is not accepted here.
  struct Exception {
    std::string subject;
    std::string issuer;
    bool operator==(Exception const&) const = default;
  };
  std::string list;      ///< absolute URL
  std::string document;  ///< its name
  std::string subject;   ///< who signs it
  std::string issuer;
  std::vector<Exception> except;
  bool operator==(Inclusion const&) const = default;
};

struct EndorserList {
  Header header;
  std::vector<Endorsement> endorsers;
  std::vector<Inclusion> includes;
  yaml::Value::Map extra;
};

/// Reads the signed part of a document, whose signature has already been checked: strict YAML, every field checked.
///
/// A fault in one entry of a catalogue (doc-field, also an image ID that the content does not give; torrent-layout)
/// puts that entry among the refused ones. Faults that refuse a document: yaml-…, too-large, kind-mismatch, doc-format,
/// serial-range, doc-field (in its own keys, in a rule, or the same image ID twice).
[[nodiscard]] Result<Catalogue> parse_catalogue(std::string_view body);
[[nodiscard]] Result<ApprovalList> parse_approval_list(std::string_view body);
[[nodiscard]] Result<EndorserList> parse_endorser_list(std::string_view body);

/// The bytes to be signed: everything before the `x509-signature:` line.
std::string write(Catalogue const& catalogue);
std::string write(ApprovalList const& list);
std::string write(EndorserList const& list);

/// One entry and one rule as maps, for the endorser's store and the configuration. An image that is not yet endorsed
/// has no `endorsed`. Faults: doc-field, torrent-layout; the text names the line.
yaml::Value to_value(Image const& image);
[[nodiscard]] Result<Image> image_from(yaml::Value const& value);
yaml::Value to_value(Rule const& rule);
[[nodiscard]] Result<Rule> rule_from(yaml::Value const& value);

/// May `text` be a document's name: `[a-z0-9][a-z0-9.-]{0,127}`?
bool is_document_name(std::string_view text);
/// May `text` be an image's name: `[A-Za-z0-9][A-Za-z0-9 ._+()-]{0,127}`?
bool is_image_name(std::string_view text);
/// May `text` be a torrent's, artefact's or volume's name: `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`?
bool is_file_name(std::string_view text);

}  // namespace imageswarm::document
