#include "common/image/manifest.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "common/base/digest.hpp"
#include "common/base/text.hpp"
#include "common/image/protocol.hpp"

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

template <class D>
Result<std::string> digest_of_member(Member const& member, Content& content) {
  Hasher<D> hasher;
  std::vector<std::byte> buffer(piece_size);
  for (std::uint64_t at = 0; at < member.size;) {
    auto const piece = std::span{buffer}.first(std::min<std::uint64_t>(buffer.size(), member.size - at));
    if (auto const got = content.read(member.offset + at, piece); !got) return fail(got.error());
    hasher.update(piece);
    at += piece.size();
  }
  return hasher.finish().hex();
}

Result<std::string> digest_by_name(std::string_view algorithm, Member const& member, Content& content) {
  if (algorithm == "SHA1") return digest_of_member<Sha1>(member, content);
  if (algorithm == "SHA256") return digest_of_member<Sha256>(member, content);
  if (algorithm == "SHA512") return digest_of_member<Sha512>(member, content);
  return fail(Fault::image_manifest, "the manifest uses {}, not SHA1, SHA256 or SHA512", printable(algorithm));
}

}  // namespace

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
