#include "common/trust/token.hpp"

#include <catch2/catch.hpp>

namespace imageswarm::trust {
namespace {

TEST_CASE("what is shown of a token's URI has no PIN, wherever it stands and however it is written") {
  for (auto const* uri :
       {"pkcs11:pin-value=1234;object=ada", "pkcs11:object=ada;pin-value=1234", "pkcs11:object=ada?pin-value=1234",
        "pkcs11:object=ada?PIN-Value=1234", "pkcs11:object=ada&pin-source=file:/1234",
        "pkcs11:%70in%2Dvalue=1234;object=ada", "PKCS11:Pin-value=1234;object=ada", "pkcs11:object=ada;1234"}) {
    INFO(uri);
    CHECK(is_token_uri(uri));
    CHECK(shown_token_uri(uri) == "pkcs11:object=ada");
  }
  CHECK(shown_token_uri("pkcs11:p%zzn-value=1234;object=ada") == "pkcs11:…");
  CHECK(shown_token_uri("/etc/keys/a;pin-1?.pem") == "/etc/keys/a;pin-1?.pem");
  CHECK(shown_token_uri("pkcs11:token=a%20b;object=ada?module-path=/x.so") ==
        "pkcs11:token=a%20b;object=ada;module-path=/x.so");
}

TEST_CASE("a PIN in the URI is refused, however it is written, and not repeated") {
  for (auto const* uri :
       {"pkcs11:pin-value=1234;object=ada", "pkcs11:%70in-value=1234;object=ada", "pkcs11:object=ada?PIN-VALUE=1234"}) {
    INFO(uri);
    auto const refusal = load_token_key(uri).error();
    CHECK_THAT(refusal.what, Catch::Contains("pin-value shows the PIN") && !Catch::Contains("1234"));
  }
}

}  // namespace
}  // namespace imageswarm::trust
