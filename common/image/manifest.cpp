#include "common/image/manifest.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "common/base/text.hpp"

namespace imageswarm::image {
namespace {

struct Line {
  std::string_view algorithm, name, digest;
};

/// SHA256(disk.vmdk)= 3f2c…, with blanks anywhere between the parts.
Result<Line> parse_line(std::string_view text) {
  auto const open = text.find('('), close = text.rfind(')');
  if (open == text.npos || close == text.npos || close < open) {
    return fail(Fault::image_manifest, "the manifest says \"{}\"", printable(text));
  }
  auto const rest = trimmed(text.substr(close + 1));
  if (!rest.starts_with('=')) return fail(Fault::image_manifest, "the manifest says \"{}\"", printable(text));
  return Line{trimmed(text.substr(0, open)), trimmed(text.substr(open + 1, close - open - 1)), trimmed(rest.substr(1))};
}

Result<std::string> digest_by_name(std::string_view algorithm, Member const& member, Content& content) {
  auto hasher = ManifestHasher::named(algorithm);
  if (!hasher) return fail(hasher.error());
  auto const hash = [&hasher](std::span<std::byte const> piece) -> Result<> {
    hasher->update(piece);
    return {};
  };
  return read_through(content, member.offset, member.size, hash).map([&hasher] { return hasher->finish(); });
}

}  // namespace

Result<ManifestHasher> ManifestHasher::named(std::string_view algorithm) {
  if (algorithm == "SHA1") return ManifestHasher{Hasher<Sha1>{}};
  if (algorithm == "SHA256") return ManifestHasher{Hasher<Sha256>{}};
  if (algorithm == "SHA512") return ManifestHasher{Hasher<Sha512>{}};
  return fail(Fault::image_manifest, "the manifest uses {}, not SHA1, SHA256 or SHA512", printable(algorithm));
}

void ManifestHasher::update(std::span<std::byte const> data) {
  std::visit([data](auto& hasher) { hasher.update(data); }, hasher_);
}

std::string ManifestHasher::finish() {
  return std::visit([](auto& hasher) { return hasher.finish().hex(); }, hasher_);
}

std::string algorithm_of(std::string_view manifest) {
  return std::string{trimmed(manifest.substr(0, manifest.find('(')))};
}

void load_digests() {
  ::OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  digest_of<Sha1>("");
  digest_of<Sha256>("");
  digest_of<Sha512>("");
}

Result<> check_manifest(std::string_view manifest, std::span<Member const> files, Content& content) {
  std::vector<std::pair<Member const*, Line>> lines;
  for (auto const text : split(manifest, '\n')) {
    if (trimmed(text).empty()) continue;
    auto const line = parse_line(trimmed(text));
    if (!line) return fail(line.error());
    auto const file = std::ranges::find(files, line->name, &Member::name);
    auto const same = [&](auto const& other) { return other.second.name == line->name; };
    if (file == files.end() || std::ranges::any_of(lines, same)) {
      return fail(Fault::image_manifest, "the manifest lists {}, which is not there or twice", printable(line->name));
    }
    lines.emplace_back(&*file, *line);
  }
  if (lines.size() != files.size()) {
    return fail(Fault::image_manifest, "the manifest lists {} of {} files", lines.size(), files.size());
  }
  std::ranges::sort(lines, {}, [](auto const& line) { return line.first->offset; });  // packed content reads forwards
  for (auto const& [file, line] : lines) {
    auto const digest = digest_by_name(line.algorithm, *file, content);
    if (!digest) return fail(digest.error());
    if (*digest != lower_case(line.digest)) {
      return fail(Fault::image_manifest, "{} is not what the manifest says", file->name);
    }
  }
  return {};
}

}  // namespace imageswarm::image
