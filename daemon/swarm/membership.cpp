#include "daemon/swarm/membership.hpp"

#include <openssl/ssl.h>

#include <libtorrent/aux_/socket_type.hpp>
#include <libtorrent/extensions.hpp>
#include <libtorrent/peer_connection.hpp>
#include <libtorrent/peer_connection_handle.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <libtorrent/torrent_info.hpp>
#include <utility>

namespace imageswarm::swarm {
namespace {

using CertificatePtr = std::unique_ptr<X509, decltype(&X509_free)>;

/// What the peer has shown; null where there is no TLS.
CertificatePtr certificate_of(lt::peer_connection_handle const& peer) {
  auto const connection = peer.native_handle();
  auto* const tls = connection ? boost::get<lt::ssl_stream<lt::tcp::socket>>(&connection->get_socket()) : nullptr;
  return {tls ? SSL_get1_peer_certificate(tls->handle()) : nullptr, &X509_free};
}

class Doorkeeper final : public lt::peer_plugin {
public:
  Doorkeeper(trust::SwarmCa ca, std::string image_id, lt::peer_connection_handle peer)
      : ca_{std::move(ca)}, image_id_{std::move(image_id)}, peer_{std::move(peer)} {}

  /// Before it nothing is asked for or sent, and TLS has begun.
  bool on_handshake(lt::span<char const> /*reserved*/) override {
    auto const certificate = certificate_of(peer_);
    if (!certificate || !ca_.admits(*certificate, image_id_, SystemClock{}.now())) {
      peer_.disconnect(lt::errors::invalid_ssl_cert, lt::operation_t::ssl_handshake,
                       lt::peer_connection_interface::failure);
    }
    return true;
  }

private:
  trust::SwarmCa ca_;
  std::string image_id_;
  lt::peer_connection_handle peer_;
};

class Door final : public lt::torrent_plugin {
public:
  Door(trust::SwarmCa ca, std::string image_id) : ca_{std::move(ca)}, image_id_{std::move(image_id)} {}

  std::shared_ptr<lt::peer_plugin> new_connection(lt::peer_connection_handle const& peer) override {
    return std::make_shared<Doorkeeper>(ca_, image_id_, peer);
  }

private:
  trust::SwarmCa ca_;
  std::string image_id_;
};

}  // namespace

Extension admitting_members(trust::SwarmCa ca, std::string image_id) {
  return [door = std::make_shared<Door>(std::move(ca), std::move(image_id))](lt::torrent_handle const&,
                                                                             lt::client_data_t) { return door; };
}

char const* const dh_parameters = R"(-----BEGIN DH PARAMETERS-----
MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
-----END DH PARAMETERS-----
)";

}  // namespace imageswarm::swarm
