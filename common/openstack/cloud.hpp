#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/http/client.hpp"

namespace imageswarm::openstack {

/// One entry of clouds.yaml, merged with secure.yaml beside it. Holds secrets: never log it.
struct Cloud {
  enum class AuthType { password, application_credential };

  std::string name;
  AuthType auth_type = AuthType::password;
  std::string auth_url;  ///< ends in /v3
  std::string username, user_id, password, user_domain_name, user_domain_id;
  std::string project_name, project_id, project_domain_name, project_domain_id;
  std::string application_credential_id, application_credential_secret;
  std::string region_name;
  std::string interface = "public";
  std::string image_endpoint_override;
  http::Tls tls;
  std::chrono::seconds api_timeout{60};
};

/// Where a person's clouds are: $OS_CLIENT_CONFIG_FILE, else the first that is there of ./clouds.yaml,
/// ~/.config/openstack/clouds.yaml, /etc/openstack/clouds.yaml and the daemon's own, /etc/imageswarm/clouds.yaml.
std::filesystem::path usual_clouds_file();

/// Reads `cloud` from `clouds_file`; keys that other clients use and we do not need are passed over.
/// Faults: config-missing, config-syntax, config-value, permission.
[[nodiscard]] Result<Cloud> load_cloud(std::filesystem::path const& clouds_file, std::string_view cloud);

}  // namespace imageswarm::openstack
