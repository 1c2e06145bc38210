#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace imageswarm::ctl {

using Json = nlohmann::ordered_json;

/// The running imageswarmd, asked over its control socket. Blocks, at most five seconds a question.
/// Faults: daemon-unreachable, and those that the daemon answers with.
class Daemon {
public:
  explicit Daemon(std::filesystem::path socket) : socket_{std::move(socket)} {}

  [[nodiscard]] Result<Json> get(std::string_view target) const;
  [[nodiscard]] Result<Json> post(std::string_view target, Json const& body) const;

private:
  [[nodiscard]] Result<Json> ask(std::string_view method, std::string_view target, std::string body) const;
  std::filesystem::path socket_;
};

/// `text` as one segment of a path: all but letters, digits and "-._~@" as %XX.
std::string escaped(std::string_view text);

}  // namespace imageswarm::ctl
