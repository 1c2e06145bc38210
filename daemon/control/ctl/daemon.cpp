#include "daemon/control/ctl/daemon.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "common/http/client.hpp"

namespace imageswarm::ctl {
namespace {

/// Why a connection cannot be made, in errno; 0 if it can.
int connect_error(std::filesystem::path const& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.native().size() >= sizeof address.sun_path) return ENAMETOOLONG;
  std::memcpy(address.sun_path, socket.c_str(), socket.native().size());
  UniqueFd const fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  return ::connect(fd.get(), reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0 ? 0 : errno;
}

Error unreachable(std::filesystem::path const& socket, Error const& error) {
  auto const reason = [&](std::string_view why) {
    return Error{Fault::daemon_unreachable, fmt::format("{}: {}", printable(socket.native()), why)};
  };
  switch (auto const number = connect_error(socket)) {
    case 0:
      return reason(error.what);
    case ENOENT:
      return reason("no such socket; is imageswarmd running? (systemctl status imageswarmd)");
    case ECONNREFUSED:
      return reason("nobody listens; is imageswarmd running? (systemctl status imageswarmd)");
    case EACCES:
      return reason("permission denied; members of the group imageswarm and root may use it");
    default:
      return reason(std::strerror(number));
  }
}

/// The daemon's own words for what went wrong.
Error answered_error(int status, Json const& answer) {
  if (answer.is_object() && answer.contains("fault") && answer["fault"].is_string() && answer.contains("error") &&
      answer["error"].is_string()) {
    auto const fault = fault_of(answer["fault"].get<std::string>());
    return {fault.value_or(Fault::internal), printable(answer["error"].get<std::string>(), 2000)};
  }
  return {Fault::http_status, fmt::format("imageswarmd answered with status {}", status)};
}

}  // namespace

Result<Json> Daemon::get(std::string_view target) const {
  return ask("GET", target, {});
}

Result<Json> Daemon::post(std::string_view target, Json const& body) const {
  return ask("POST", target, body.dump());
}

Result<Json> Daemon::ask(std::string_view method, std::string_view target, std::string body) const {
  http::Request request;
  request.method = method;
  request.url = fmt::format("http://localhost{}", target);
  request.body = std::move(body);
  request.most = 64_MiB;
  request.deadline = std::chrono::seconds{5};
  request.unix_socket = socket_;
  auto const response = http::perform(request, {});
  if (!response) return fail(unreachable(socket_, response.error()));
  auto answer = Json::parse(response->body, nullptr, false);
  if (response->status != 200) return fail(answered_error(response->status, answer));
  if (answer.is_discarded()) {
    return fail(Fault::daemon_unreachable, "{}: what answers there is not imageswarmd", printable(socket_.native()));
  }
  return answer;
}

std::string escaped(std::string_view text) {
  std::string segment;
  for (char byte : text) {
    auto const code = static_cast<unsigned char>(byte);
    if (std::isalnum(code) != 0 || std::string_view{"-._~@"}.find(byte) != std::string_view::npos) {
      segment += byte;
    } else {
      segment += fmt::format("%{:02X}", code);
    }
  }
  return segment;
}

}  // namespace imageswarm::ctl
