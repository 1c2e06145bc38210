#include "common/http/url.hpp"

#include <curl/curl.h>

#include <memory>

#include "common/base/text.hpp"
#include "common/http/client.hpp"

namespace imageswarm::http {
namespace {

struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using UrlHandle = std::unique_ptr<CURLU, UrlDeleter>;

std::string part_of(UrlHandle const& url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, 0) != CURLUE_OK) return {};
  std::string copy{text};
  curl_free(text);
  return copy;
}

/// Each of `parts` in turn resolved against what was there before.
Result<UrlHandle> parse(std::initializer_list<std::string_view> parts) {
  UrlHandle url{curl_url()};
  for (auto const part : parts) {
    if (curl_url_set(url.get(), CURLUPART_URL, std::string{part}.c_str(), 0) != CURLUE_OK) {
      return fail(Fault::http_scheme, "{}: not a URL that can be fetched; give an http or https URL", shown(part));
    }
  }
  auto const scheme = part_of(url, CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    return fail(Fault::http_scheme, "{}: the scheme '{}' is not allowed; give an http or https URL",
                shown(*std::prev(parts.end())), printable(scheme));
  }
  return url;
}

}  // namespace

std::string without_user(std::string_view url) {
  auto const start = url.find("://");
  auto const authority = start == std::string_view::npos ? 0 : start + 3;
  auto const path = std::min(url.find_first_of("/?#", authority), url.size());
  auto const at = url.substr(authority, path - authority).rfind('@');
  auto const host = at == std::string_view::npos ? authority : authority + at + 1;
  return std::string{url.substr(0, authority)}.append(url.substr(host));
}

std::string shown(std::string_view url) {
  auto const public_part = without_user(url);
  return printable(public_part.substr(0, public_part.find_first_of("?#")));
}

Result<Origin> origin_of(std::string_view url) {
  auto const parsed = parse({url});
  if (!parsed) return fail(parsed.error());
  return Origin{part_of(*parsed, CURLUPART_SCHEME), lower_case(part_of(*parsed, CURLUPART_HOST))};
}

Result<std::string> resolve(std::string_view base, std::string_view reference) {
  auto const resolved = parse({base, reference});
  if (!resolved) return fail(resolved.error());
  return part_of(*resolved, CURLUPART_URL);
}

}  // namespace imageswarm::http
