#include "common/openstack/keystone.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "common/openstack/messages.hpp"

namespace imageswarm::openstack {
namespace {

Result<http::Response> ask(Cloud const& cloud, std::stop_token const& stop) {
  http::Request request;
  request.method = "POST";
  request.url = cloud.auth_url + "/auth/tokens";
  request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
  request.body = token_request(cloud);
  request.deadline = cloud.api_timeout;
  request.tls = cloud.tls;
  auto response = http::perform(request, stop);
  if (!response && response.error().fault != Fault::cancelled) {
    return fail(Fault::keystone_unavailable, "Keystone of cloud {}: {}", cloud.name, response.error().what);
  }
  return response;
}

/// "http://host/image/v2.1/" and "http://host/image" both become "http://host/image/v2".
std::string with_v2(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  auto const last = url.substr(url.rfind('/') + 1);
  if (last == "v1" || last == "v2" || last.starts_with("v2.")) url.resize(url.size() - last.size() - 1);
  return url + "/v2";
}

/// Where the service is in our region, empty if it is not there; `others` gets the places where else it is.
std::string url_of(Cloud const& cloud, std::string_view service, TokenAnswer const& answer,
                   std::vector<std::string>& others) {
  for (auto const& endpoint : answer.endpoints) {
    if (endpoint.service != service) continue;
    auto const right_region = cloud.region_name.empty() || endpoint.region == cloud.region_name;
    if (right_region && endpoint.interface == cloud.interface && !endpoint.url.empty()) return endpoint.url;
    others.push_back(printable(endpoint.region + "/" + endpoint.interface));
  }
  return "";
}

Result<std::string> image_url(Cloud const& cloud, TokenAnswer const& answer) {
  if (!cloud.image_endpoint_override.empty()) return with_v2(cloud.image_endpoint_override);
  std::vector<std::string> others;
  if (auto url = url_of(cloud, "image", answer, others); !url.empty()) return with_v2(std::move(url));
  return fail(Fault::keystone_catalog,
              "Keystone of cloud {}: no image service for region '{}', interface {}; the catalogue has: {}", cloud.name,
              printable(cloud.region_name), cloud.interface, others.empty() ? "none" : join(others, ", "));
}

std::string compute_url(Cloud const& cloud, TokenAnswer const& answer) {
  std::vector<std::string> others;
  return url_of(cloud, "compute", answer, others);
}

/// Without the answer's own words: the request carried a secret, and a server may echo what it was sent.
tl::unexpected<Error> refusal(Cloud const& cloud, http::Response const& response) {
  auto const unauthorized = response.status == 401 || response.status == 403 || response.status == 404;
  return fail(unauthorized ? Fault::keystone_unauthorized : Fault::keystone_unavailable,
              "Keystone of cloud {}: {} answered {}{}", cloud.name, http::shown(cloud.auth_url), response.status,
              unauthorized ? "; check the credentials and `auth_url` in clouds.yaml" : "; its own log says why");
}

}  // namespace

Result<Token> authenticate(Cloud const& cloud, std::stop_token const& stop) {
  auto const asked = std::chrono::steady_clock::now();
  auto const response = ask(cloud, stop);
  if (!response) return fail(response.error());
  if (response->status != 201) return refusal(cloud, *response);
  auto const answer = parse_token(response->body);
  if (!answer) return fail(Error{answer.error()}.in("Keystone of cloud " + cloud.name));
  if (answer->project_id.empty()) {
    return fail(Fault::keystone_unauthorized,
                "Keystone of cloud {}: the token is for no project, so it cannot own images", cloud.name);
  }
  auto url = image_url(cloud, *answer);
  if (!url) return fail(url.error());
  auto const margin = std::min<std::chrono::seconds>(answer->lifetime / 10, std::chrono::minutes{1});
  return Token{std::string{response->header("x-subject-token")}, answer->project_id, std::move(*url),
               compute_url(cloud, *answer), asked + answer->lifetime - margin};
}

}  // namespace imageswarm::openstack
