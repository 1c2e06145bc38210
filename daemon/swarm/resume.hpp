#pragma once

#include <filesystem>
#include <libtorrent/add_torrent_params.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/base/units.hpp"

// Private to daemon/swarm: libtorrent shows here.

namespace imageswarm::swarm {

/// What a resume file holds beside libtorrent's own data, in the same file so that both are of one moment.
struct Kept {
  bool complete = false;
  ByteCount from_peers, from_web_seeds, found_here, uploaded;
};

struct Resumed {
  lt::add_torrent_params params;
  Kept kept;
};

/// The content of a resume file. It carries the kernel's boot ID: see `read_resume`.
std::string encode_resume(lt::add_torrent_params params, Kept const& kept);

/// Reads a resume file of this torrent; nothing if there is none or it cannot be used, and then all is checked afresh.
///
/// The pieces that it lists are believed if the machine has not been booted since: the daemon may have been killed,
/// but what it wrote is in the page cache. After a boot they are dropped, since nothing was fsynced, and libtorrent
/// checks the file; only a complete one stays complete, as seed mode hashes each piece before it is first sent.
std::optional<Resumed> read_resume(std::filesystem::path const& path, lt::info_hash_t const& expected);

/// Complete or not there, but without fsync, which would wait for all the image data that is still to be written,
/// once a second: after a power cut the file is not believed anyway.
[[nodiscard]] Result<> replace_resume(std::filesystem::path const& path, std::string_view content);

}  // namespace imageswarm::swarm
