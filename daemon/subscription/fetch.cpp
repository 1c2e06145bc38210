#include "daemon/subscription/fetch.hpp"

#include <algorithm>
#include <optional>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "common/http/client.hpp"
#include "common/torrent/torrent.hpp"

namespace imageswarm::subscription {
namespace {

constexpr std::string_view file_scheme = "file://";

std::filesystem::path local_path(std::string_view url) {
  if (url.starts_with(file_scheme)) url.remove_prefix(file_scheme.size());
  return url;
}

Result<Fetched> get(std::string const& url, std::string_view etag, ByteCount most, std::stop_token const& stop) {
  http::Request request;
  request.url = url;
  request.most = most;
  request.follow_redirects = true;
  request.deadline = std::chrono::minutes{5};
  if (!etag.empty()) request.headers.emplace_back("If-None-Match", etag);
  auto response = http::perform(request, stop);
  if (!response) return fail(std::move(response.error()));
  if (response->status == 304 && !etag.empty())
    return Fetched{.not_modified = true, .bytes = {}, .etag = std::string{etag}};
  if (response->status != 200) {
    return fail(Fault::http_status, "GET {}: the server answered {}", http::shown(url), response->status);
  }
  auto new_etag = std::string{response->header("etag")};
  return Fetched{.not_modified = false, .bytes = std::move(response->body), .etag = std::move(new_etag)};
}

}  // namespace

bool is_local(std::string_view url) {
  return url.starts_with('/') || url.starts_with(file_scheme);
}

Result<Fetched> fetch_document(std::string_view url, std::string_view etag, std::stop_token const& stop) {
  if (!is_local(url)) return get(std::string{url}, etag, document::max_document_size, stop);
  auto bytes = read_file(local_path(url), document::max_document_size);
  if (!bytes) return fail(std::move(bytes.error()));
  return Fetched{.not_modified = false, .bytes = std::move(*bytes), .etag = {}};
}

Result<std::string> fetch_torrent(flow::Want const& want, std::stop_token const& stop) {
  auto const& base = want.provenance.catalogue_url;
  auto const& reference = want.torrent_url;
  auto const most = std::min(want.image.torrent.file_size, torrent::max_torrent_size);
  bool const relative = reference.find("://") == std::string::npos && !reference.starts_with('/');
  if (is_local(base) && relative) {
    // The signed name may not lead out of the directory that the operator named.
    for (auto const part : split(reference, '/')) {
      if (part.empty() || part == "." || part == "..") {
        return fail(Fault::http_scheme, "the torrent's URL '{}' leaves the catalogue's directory",
                    printable(reference));
      }
    }
    return read_file(local_path(base).parent_path() / reference, most);
  }
  // A relative reference keeps the scheme of its base, which is the operator's own; an absolute one is its own base.
  auto const url = http::resolve(is_local(base) ? reference : base, reference);
  if (!url) return fail(url.error());
  auto fetched = get(*url, {}, most, stop);
  if (!fetched) return fail(std::move(fetched.error()));
  return std::move(fetched->bytes);
}

}  // namespace imageswarm::subscription
