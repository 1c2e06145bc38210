#include "common/openstack/nova.hpp"

#include "common/base/text.hpp"
#include "common/openstack/keystone.hpp"
#include "common/openstack/messages.hpp"

namespace imageswarm::openstack {
namespace {

constexpr int forbidden = 403;

Result<http::Response> ask(Cloud const& cloud, Token const& token, std::string const& path,
                           std::stop_token const& stop) {
  http::Request request;
  request.url = token.compute_url + path;
  request.headers = {{"Accept", "application/json"}, {"X-Auth-Token", token.value}};
  request.deadline = cloud.api_timeout;
  request.most = 16_MiB;
  request.tls = cloud.tls;
  auto response = http::perform(request, stop);
  if (!response) return fail(std::move(response.error()).in("Nova of cloud " + cloud.name));
  return response;
}

}  // namespace

Result<std::optional<std::vector<Instance>>> instances_of(Cloud const& cloud, std::string_view image_id,
                                                          std::size_t most, std::stop_token const& stop) {
  auto const token = authenticate(cloud, stop);
  if (!token) return fail(token.error());
  if (token->compute_url.empty()) return std::nullopt;
  auto const path = fmt::format("/servers?image={}&limit={}", image_id, most);
  auto response = ask(cloud, *token, path + "&all_tenants=1", stop);
  if (response && response->status == forbidden) response = ask(cloud, *token, path, stop);
  if (!response) return fail(response.error());
  if (response->status != 200) {
    return fail(Fault::http_status, "Nova of cloud {}: GET {} answered {}: {}", cloud.name, path, response->status,
                error_text(response->body));
  }
  return parse_instances(response->body);
}

}  // namespace imageswarm::openstack
