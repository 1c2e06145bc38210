#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/openstack/cloud.hpp"
#include "common/openstack/glance.hpp"
#include "common/openstack/nova.hpp"

// The JSON that Keystone, Glance and Nova speak, as plain values and back.

namespace imageswarm::openstack {

struct Endpoint {
  std::string service;  ///< its type: "image", "compute", …
  std::string interface, region, url;
};

struct TokenAnswer {
  std::chrono::seconds lifetime{};  ///< by Keystone's clock, so ours may be wrong
  std::string project_id;
  std::vector<Endpoint> endpoints;
};

struct ImagePage {
  std::vector<GlanceImage> images;
  std::string next;  ///< path of the next page; empty = the last one
};

std::string token_request(Cloud const& cloud);
/// Fault: keystone-unavailable (not what Keystone says).
[[nodiscard]] Result<TokenAnswer> parse_token(std::string_view body);

/// The body of a create: hidden and private, whatever `image.properties` may say.
std::string create_request(NewImage const& image);
std::string copy_request(std::vector<std::string> const& stores);
std::string patch_request(Changes const& changes);
std::string member_request(std::string_view project);
/// `seen` is the time of the answer by Glance's clock. Fault of both: glance-unavailable (not what Glance says).
[[nodiscard]] Result<GlanceImage> parse_image(std::string_view body, TimePoint seen);
/// The projects of a list of members. Fault: as above.
[[nodiscard]] Result<std::vector<std::string>> parse_members(std::string_view body);
[[nodiscard]] Result<ImagePage> parse_page(std::string_view body, TimePoint seen);

/// Nova's list of servers. Fault: http-protocol (not what Nova says).
[[nodiscard]] Result<std::vector<Instance>> parse_instances(std::string_view body);

/// What an error's body says to people: the message of its JSON, or its text without markup; one line, printable.
std::string error_text(std::string_view body);

/// "Fri, 20 Nov 2026 07:45:48 GMT" (RFC 9110 §5.6.7); nothing if it is something else.
std::optional<TimePoint> parse_http_date(std::string_view text);

}  // namespace imageswarm::openstack
