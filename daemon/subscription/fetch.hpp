#pragma once

#include <chrono>
#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/document/model.hpp"
#include "daemon/flow/values.hpp"

namespace imageswarm::subscription {

/// What a source gave.
struct Fetched {
  bool not_modified = false;  ///< the server says that `etag` still holds; `bytes` is empty
  std::string bytes;
  std::string etag;  ///< to be given next time; empty where the source has none
};

/// Reads a document from an http(s) URL, a file:// URL or an absolute path; at most document::max_document_size.
/// Blocks. Faults: http-…, too-large, too-slow, not-found, permission, disk-error, cancelled.
[[nodiscard]] Result<Fetched> fetch_document(std::string_view url, std::string_view etag, std::stop_token const& stop);

/// Reads the torrent file of an image, found at its download URL against its catalogue's. Only the size is looked at:
/// torrent::admit judges the bytes. Blocks. Faults as above, and http-scheme for a signed URL that names a local file
/// where the catalogue itself was not local.
[[nodiscard]] Result<std::string> fetch_torrent(flow::Want const& want, std::stop_token const& stop);

/// Is this a path or file:// URL, which only the host's own configuration may name?
bool is_local(std::string_view url);

}  // namespace imageswarm::subscription
