#include "common/trust/swarm_ca.hpp"

#include <openssl/pem.h>

#include <catch2/catch.hpp>
#include <optional>

#include "common/base/file.hpp"
#include "tests/support/swarm_pki.hpp"
#include "tests/support/test_ca.hpp"

using namespace imageswarm;
using namespace imageswarm::test;
using Catch::Matchers::Contains;
using trust::SwarmCa;

namespace {

constexpr auto image = "9f1c5b52-3c5e-5d4e-8a07-6a9d6f1f0a11";

/// What a CA says of a certificate of these names: "" when it lets the holder in.
std::string verdict(SwarmPki const& pki, std::string const& name, std::optional<TimePoint> now = {}) {
  auto const ca = SwarmCa::read(pki.text("ca.pem"));
  REQUIRE(ca);
  auto const pem = pki.text(name + ".pem");
  std::unique_ptr<BIO, void (*)(BIO*)> const reader{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                    BIO_free_all};
  std::unique_ptr<X509, void (*)(X509*)> const certificate{PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr),
                                                           X509_free};
  REQUIRE(certificate);
  auto const admitted = ca->admits(*certificate, image, now.value_or(SystemClock{}.now()));
  return admitted ? "" : admitted.error().line();
}

}  // namespace

TEST_CASE("a swarm's CA lets in who has the image's name or the star, and nobody with a part of the name", "[trust]") {
  SwarmPki const pki{"swarm"};
  CHECK(verdict(pki, pki.issue("named", "host.example.org", std::string{"DNS:"} + image)) == "");
  CHECK(verdict(pki, pki.issue("second", "host", std::string{"DNS:host,DNS:"} + image)) == "");
  CHECK(verdict(pki, pki.issue("star", "host.example.org", "DNS:*")) == "");

  auto const is_refused = [&](std::string const& name) {
    return verdict(pki, name).find("names neither") != std::string::npos;
  };
  CHECK(is_refused(pki.issue("letter", "host", "DNS:9")));
  CHECK(is_refused(pki.issue("almost", "host", "DNS:9f1c5b52-3c5e-5d4e-8a07-6a9d6f1f0a1")));
  CHECK(is_refused(pki.issue("longer", "host", std::string{"DNS:"} + image + "0")));
  CHECK(is_refused(pki.issue("host", "host", "DNS:host.example.org")));
  CHECK(is_refused(pki.issue("glob", "host", "DNS:*.example.org")));
  CHECK(is_refused(pki.issue("common", image, "")));
  CHECK(is_refused(pki.issue("starred", "*", "DNS:host")));
  CHECK(is_refused(pki.issue("mail", "host", std::string{"email:a@"} + image)));
}

TEST_CASE("a swarm's CA lets in nobody of another CA, out of time, or for one end of a connection", "[trust]") {
  SwarmPki const pki{"swarm"}, other{"swarm"};  // the names of both CAs are the same
  auto const stranger = other.issue("stranger", "host", "DNS:*");
  std::filesystem::copy_file(other.path() / "stranger.pem", pki.path() / "stranger.pem");
  CHECK_THAT(verdict(pki, stranger), Contains("swarm-error"));

  auto const now = SystemClock{}.now();
  auto const member = pki.issue("member", "host", "DNS:*");
  CHECK(verdict(pki, member, now + std::chrono::hours{24 * 6}) == "");
  CHECK_THAT(verdict(pki, member, now + std::chrono::hours{24 * 8}), Contains("expired"));
  CHECK_THAT(verdict(pki, member, now - std::chrono::hours{1}), Contains("not yet valid"));

  CHECK_THAT(verdict(pki, pki.issue("server", "host", "DNS:*", "--eku serverAuth -days 7")), Contains("both ends"));
  CHECK_THAT(verdict(pki, pki.issue("client", "host", "DNS:*", "--eku clientAuth -days 7")), Contains("both ends"));
  CHECK(verdict(pki, pki.issue("both", "host", "DNS:*", "--eku serverAuth,clientAuth -days 7")) == "");
  CHECK_THAT(verdict(pki, pki.issue("sha1", "host", "DNS:*", "-days 7 -sha1")), Contains("too weak"));
}

TEST_CASE("a swarm's CA is one self-signed CA certificate with a strong key", "[trust]") {
  auto const& ca = TestCa::instance();
  auto const text = [&](std::string const& name) { return *read_file(ca.path() / name, 64_KiB); };
  auto const fault = [](std::string const& pem) {
    auto const read = SwarmCa::read(pem);
    return read ? "" : std::string{word(read.error().fault)};
  };
  auto const root = text("ca/root.pem");
  CHECK(fault(root) == "");
  CHECK(SwarmCa::read("a comment\n" + root)->pem() == root);
  CHECK(fault("") == "certificate-unreadable");
  CHECK(fault(root + text("ca/other.pem")) == "certificate-unreadable");
  CHECK(fault(std::string(trust::max_swarm_ca_size.value, '\n') + root) == "certificate-unreadable");
  CHECK(fault(text("ada.pem").substr(0, text("ada.pem").find("-----BEGIN", 1))) == "cert-purpose");
  CHECK(fault(text("ca/issuing.pem")) == "cert-purpose");

  SwarmPki const pki{"swarm"};
  shell(pki.path(), "openssl req -x509 -newkey rsa:1024 -noenc -keyout w.key -out w.pem -subj /CN=w 2>/dev/null");
  CHECK(fault(pki.text("w.pem")) == "alg-weak");

  auto const swarm_ca = SwarmCa::read(pki.text("ca.pem"));
  auto const now = SystemClock{}.now();
  CHECK(swarm_ca->check_time(now + std::chrono::hours{1}));
  CHECK(swarm_ca->check_time(now + std::chrono::hours{24 * 4000}).error().fault == Fault::cert_expired);
  CHECK(swarm_ca->check_time(now - std::chrono::hours{24}).error().fault == Fault::cert_not_yet_valid);
}
