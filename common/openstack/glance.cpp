#include "common/openstack/glance.hpp"

#include <algorithm>
#include <mutex>

#include "common/base/text.hpp"
#include "common/openstack/keystone.hpp"
#include "common/openstack/messages.hpp"

namespace imageswarm::openstack {
namespace {

constexpr ByteCount max_answer = 16_MiB;
constexpr int max_pages = 100;
constexpr std::uint64_t slowest_upload = 1'000'000;  ///< bytes per second

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (char const c : text) {
    auto const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view{"-._~"}.find(c) != std::string_view::npos;
    encoded += plain ? std::string{c} : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

TimePoint time_of(http::Response const& response) {
  return parse_http_date(response.header("date")).value_or(SystemClock{}.now());
}

Fault fault_of_status(int status) {
  switch (status) {
    case 401:
      return Fault::glance_unauthorized;
    case 403:
      return Fault::glance_forbidden;
    case 404:
      return Fault::glance_not_found;
    case 409:
      return Fault::glance_conflict;
    case 410:
      return Fault::glance_gone;
    case 413:
      return Fault::glance_quota;
    default:
      return status >= 500 ? Fault::glance_unavailable : Fault::glance_rejected;
  }
}

std::string_view remedy_of(Fault fault) {
  switch (fault) {
    case Fault::glance_unauthorized:
      return "; the token is fresh, so see whether Glance itself reaches Keystone";
    case Fault::glance_forbidden:
      return "; the credentials lack a role, or the image is protected";
    case Fault::glance_quota:
      return "; free space or raise the limit in Glance";
    default:
      return "";
  }
}

}  // namespace

std::chrono::seconds upload_deadline(ByteCount size) {
  return std::max<std::chrono::seconds>(std::chrono::minutes{10}, std::chrono::seconds{size.value / slowest_upload});
}

struct Glance::Impl {
  explicit Impl(Cloud which) : cloud{std::move(which)} {}

  Cloud const cloud;
  std::mutex mutex;  ///< guards `token`; held while a new one is fetched, so that one thread does it for all
  std::optional<Token> token;

  Result<Token> current_token(std::stop_token const& stop) {
    std::lock_guard const lock{mutex};
    if (token && std::chrono::steady_clock::now() < token->good_until) return *token;
    auto fresh = authenticate(cloud, stop);
    if (fresh) token = *fresh;
    return fresh;
  }

  void forget(Token const& refused) {
    std::lock_guard const lock{mutex};
    if (token && token->value == refused.value) token.reset();
  }

  /// `request.url` is a path below /v2. After a 401 once more with a new token, unless the body is on its way.
  Result<http::Response> call(http::Request const& request, std::stop_token const& stop) {
    bool started = false;
    for (bool again = false;; again = true) {
      auto const with = current_token(stop);
      if (!with) return fail(with.error());
      auto attempt = request;
      attempt.url = with->image_url + request.url;
      attempt.tls = cloud.tls;
      attempt.headers.emplace_back("X-Auth-Token", with->value);
      attempt.headers.emplace_back("Accept", "application/json");
      if (request.source) {
        attempt.source = [&started, &request](std::span<std::byte> room) {
          started = true;
          return request.source(room);
        };
      }
      auto response = http::perform(attempt, stop);
      if (!response) return fail(std::move(response.error()).in("Glance of cloud " + cloud.name));
      if (response->status < 300) return response;
      if (response->status == 401) forget(*with);
      if (response->status != 401 || again || started) return refusal(request, *response);
    }
  }

  tl::unexpected<Error> refusal(http::Request const& request, http::Response const& response) const {
    auto const fault = fault_of_status(response.status);
    return fail(fault, "Glance of cloud {}: {} {} answered {}: {} ({}){}", cloud.name, request.method,
                http::shown(request.url), response.status, error_text(response.body),
                printable(response.header("x-openstack-request-id"), 60), remedy_of(fault));
  }

  http::Request request(std::string method, std::string path) const {
    http::Request made;
    made.method = std::move(method);
    made.url = std::move(path);
    made.deadline = cloud.api_timeout;
    made.most = max_answer;
    return made;
  }

  Result<GlanceImage> call_for_image(http::Request const& what, std::stop_token const& stop) {
    auto const response = call(what, stop);
    if (!response) return fail(response.error());
    return parse_image(response->body, time_of(*response));
  }

  Result<> call_for_nothing(http::Request const& what, std::stop_token const& stop) {
    auto const response = call(what, stop);
    if (!response) return fail(response.error());
    return {};
  }

  /// Every page of a listing, added to `found`; an image that is in it already is replaced.
  Result<> list(std::string path, std::vector<GlanceImage>& found, std::stop_token const& stop) {
    for (int pages = 0; !path.empty(); ++pages) {
      if (pages == max_pages)
        return fail(Fault::glance_unavailable, "Glance of cloud {}: its list never ends", cloud.name);
      auto const response = call(request("GET", path), stop);
      if (!response) return fail(response.error());
      auto page = parse_page(response->body, time_of(*response));
      if (!page) return fail(page.error());
      for (auto& image : page->images) {
        std::erase_if(found, [&image](GlanceImage const& other) { return other.id == image.id; });
        found.push_back(std::move(image));
      }
      auto const at = page->next.find("/images");  // begins with /v2, whatever prefix the endpoint has
      path = at == std::string::npos ? "" : page->next.substr(at);
    }
    return {};
  }
};

Glance::Glance(Cloud cloud) : impl_{std::make_unique<Impl>(std::move(cloud))} {}
Glance::~Glance() = default;

Result<GlanceImage> Glance::create(NewImage const& image, std::stop_token const& stop) {
  auto request = impl_->request("POST", "/images");
  request.headers = {{"Content-Type", "application/json"}};
  request.body = create_request(image);
  return impl_->call_for_image(request, stop);
}

Result<GlanceImage> Glance::show(std::string_view id, std::stop_token const& stop) {
  return impl_->call_for_image(impl_->request("GET", fmt::format("/images/{}", id)), stop);
}

Result<std::vector<GlanceImage>> Glance::find(std::string_view property, std::string_view value,
                                              std::stop_token const& stop) {
  auto const owner = project(stop);
  if (!owner) return fail(owner.error());
  std::vector<GlanceImage> found;
  // Hidden ones before and after: one that another host shows or hides meanwhile is then found twice, not never.
  for (auto const* hidden : {"true", "false", "true"}) {
    auto const listed =
        impl_->list(fmt::format("/images?{}={}&owner={}&os_hidden={}&limit=100", percent_encoded(property),
                                percent_encoded(value), percent_encoded(*owner), hidden),
                    found, stop);
    if (!listed) return fail(listed.error());
  }
  return found;
}

Result<> Glance::upload(std::string_view id, ByteCount size, std::string const& store, http::BodySource source,
                        std::stop_token const& stop) {
  auto request = impl_->request("PUT", fmt::format("/images/{}/file", id));
  request.headers = {{"Content-Type", "application/octet-stream"}};
  if (!store.empty()) request.headers.emplace_back("X-Image-Meta-Store", store);
  request.source = std::move(source);
  request.source_size = size;
  request.expect_continue = true;
  request.deadline = upload_deadline(size);
  request.slowest = {0};  // a store may think for long after the last byte
  return impl_->call_for_nothing(request, stop);
}

Result<> Glance::copy_to_stores(std::string_view id, std::vector<std::string> const& stores,
                                std::stop_token const& stop) {
  auto request = impl_->request("POST", fmt::format("/images/{}/import", id));
  request.headers = {{"Content-Type", "application/json"}};
  request.body = copy_request(stores);
  return impl_->call_for_nothing(request, stop);
}

Result<GlanceImage> Glance::patch(std::string_view id, Changes const& changes, std::stop_token const& stop) {
  auto request = impl_->request("PATCH", fmt::format("/images/{}", id));
  request.headers = {{"Content-Type", "application/openstack-images-v2.1-json-patch"}};
  request.body = patch_request(changes);
  return impl_->call_for_image(request, stop);
}

Result<std::vector<std::string>> Glance::members(std::string_view id, std::stop_token const& stop) {
  auto const response = impl_->call(impl_->request("GET", fmt::format("/images/{}/members", id)), stop);
  if (!response) return fail(response.error());
  return parse_members(response->body);
}

Result<> Glance::add_member(std::string_view id, std::string_view project, std::stop_token const& stop) {
  auto request = impl_->request("POST", fmt::format("/images/{}/members", id));
  request.headers = {{"Content-Type", "application/json"}};
  request.body = member_request(project);
  return impl_->call_for_nothing(request, stop);
}

Result<> Glance::remove_member(std::string_view id, std::string_view project, std::stop_token const& stop) {
  auto const path = fmt::format("/images/{}/members/{}", id, percent_encoded(project));
  return impl_->call_for_nothing(impl_->request("DELETE", path), stop);
}

Result<> Glance::deactivate(std::string_view id, std::stop_token const& stop) {
  return impl_->call_for_nothing(impl_->request("POST", fmt::format("/images/{}/actions/deactivate", id)), stop);
}

Result<> Glance::reactivate(std::string_view id, std::stop_token const& stop) {
  return impl_->call_for_nothing(impl_->request("POST", fmt::format("/images/{}/actions/reactivate", id)), stop);
}

Result<> Glance::remove(std::string_view id, std::stop_token const& stop) {
  return impl_->call_for_nothing(impl_->request("DELETE", fmt::format("/images/{}", id)), stop);
}

Result<> Glance::download(std::string_view id, http::BodySink sink, std::stop_token const& stop) {
  auto request = impl_->request("GET", fmt::format("/images/{}/file", id));
  request.sink = std::move(sink);
  request.most = {UINT64_MAX};
  request.deadline = std::chrono::hours{24};
  return impl_->call_for_nothing(request, stop);
}

Result<std::string> Glance::project(std::stop_token const& stop) {
  auto const token = impl_->current_token(stop);
  if (!token) return fail(token.error());
  return token->project_id;
}

}  // namespace imageswarm::openstack
