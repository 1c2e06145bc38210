#include "daemon/swarm/resume.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <libtorrent/bdecode.hpp>
#include <libtorrent/bencode.hpp>
#include <libtorrent/entry.hpp>
#include <libtorrent/read_resume_data.hpp>
#include <libtorrent/write_resume_data.hpp>

#include "common/base/boot.hpp"
#include "common/base/file.hpp"
#include "common/base/log.hpp"
#include "common/base/text.hpp"

namespace imageswarm::swarm {
namespace {

constexpr auto ours = "imageswarm";
/// A thousand times what a large image needs: a bit per piece and the unfinished pieces.
constexpr auto max_resume_size = 64_MiB;

/// The hashes of all blocks, 2 MB per GiB, which libtorrent does without as the torrent file has the pieces'.
void drop_block_hashes(lt::add_torrent_params& params) {
  params.merkle_trees.clear();
  params.merkle_tree_mask.clear();
  params.verified_leaf_hashes.clear();
}

std::int64_t number(ByteCount count) {
  return static_cast<std::int64_t>(count.value);
}

ByteCount count(lt::bdecode_node const& node, char const* key) {
  return {static_cast<std::uint64_t>(std::max<std::int64_t>(0, node.dict_find_int_value(key, 0)))};
}

}  // namespace

std::string encode_resume(lt::add_torrent_params params, Kept const& kept) {
  drop_block_hashes(params);
  auto data = lt::write_resume_data(params);
  auto& own = data[ours];
  own["boot"] = boot_id();
  own["complete"] = std::int64_t{kept.complete};
  own["from-peers"] = number(kept.from_peers);
  own["from-web-seeds"] = number(kept.from_web_seeds);
  own["found-here"] = number(kept.found_here);
  own["uploaded"] = number(kept.uploaded);
  std::string encoded;
  lt::bencode(std::back_inserter(encoded), data);
  return encoded;
}

std::optional<Resumed> read_resume(std::filesystem::path const& path, lt::info_hash_t const& expected) {
  auto const content = read_file(path, max_resume_size);
  if (!content && content.error().fault == Fault::not_found) return {};
  lt::error_code error;
  lt::span<char const> const bytes{content ? content->data() : nullptr,
                                   content ? static_cast<std::ptrdiff_t>(content->size()) : 0};
  Resumed resumed{lt::read_resume_data(bytes, error), {}};
  if (error || resumed.params.info_hashes != expected) {
    log_warning("the resume file {} cannot be used ({}), checking the whole image", printable(path.native()),
                content ? (error ? error.message() : "of another torrent") : content.error().what);
    return {};
  }
  auto const root = lt::bdecode(bytes, error);  // owns what `own` points into
  auto const own = root.dict_find_dict(ours);
  if (!own) return {};
  resumed.kept = {own.dict_find_int_value("complete", 0) != 0, count(own, "from-peers"), count(own, "from-web-seeds"),
                  count(own, "found-here"), count(own, "uploaded")};
  drop_block_hashes(resumed.params);
  // Not to know the boot is to have lost power: the pieces are looked at again.
  if (boot_id().empty() || own.dict_find_string_value("boot") != boot_id()) {
    resumed.params.have_pieces.clear();
    resumed.params.verified_pieces.clear();
    resumed.params.unfinished_pieces.clear();
  }
  return resumed;
}

Result<> replace_resume(std::filesystem::path const& path, std::string_view content) {
  auto const temporary = path.parent_path() / ("." + path.filename().native() + ".tmp");
  UniqueFd fd{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644)};
  if (!fd) return fail(errno_error(errno, "writing", temporary));
  if (auto written = write_all(fd.get(), std::as_bytes(std::span{content}), temporary); !written) {
    ::unlink(temporary.c_str());
    return written;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail(errno_error(errno, "writing", path));
  return {};
}

}  // namespace imageswarm::swarm
