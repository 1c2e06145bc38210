#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace imageswarm::http {

struct ServerRequest {
  std::string method;
  std::string target;  ///< path and query as sent
  std::string body;    ///< at most 1 MiB
};

struct ServerResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
};

/// A small HTTP/1.1 server on the loop thread: the control socket and the metrics endpoint. At most 64 connections,
/// each idle for at most 30 s; a newcomer takes the place of the one that is idle the longest. The handler runs on the
/// loop and must not block.
class Server {
public:
  using Handler = std::function<ServerResponse(ServerRequest const&)>;

  /// Makes the socket with this mode, taking the place of a dead one. Faults: disk-error, permission, exists (a live
  /// server answers there).
  [[nodiscard]] static Result<Server> on_unix_socket(boost::asio::io_context& loop, std::filesystem::path const& path,
                                                     std::uint32_t mode, Handler handler);
  /// `address` is "127.0.0.1:9464" or "[::1]:9464"; port 0 picks one. Faults: config-value, http-connect.
  [[nodiscard]] static Result<Server> on_tcp(boost::asio::io_context& loop, std::string_view address, Handler handler);

  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  ~Server();  ///< closes the listener and every connection, removes the socket

  std::uint16_t port() const;  ///< of a TCP server

private:
  struct Impl;
  explicit Server(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace imageswarm::http
