#include "common/trust/slash_name.hpp"

#include <catch2/catch.hpp>

namespace imageswarm::trust {
namespace {

DistinguishedName name(std::string_view rfc2253) {
  return DistinguishedName::parse(rfc2253).value();
}

TEST_CASE("the slash form is written most significant first, with nothing escaped") {
  CHECK(slash_text(name("emailAddress=ada@example.org,CN=Ada\\, of A/B,DC=example,DC=org")) ==
        "/DC=org/DC=example/CN=Ada, of A/B/emailAddress=ada@example.org");
}

TEST_CASE("a slash form is compared with the certificate's name, synonyms of its types included") {
  auto const ada = name("emailAddress=ada@example.org,UID=ada,CN=Ada of A/B,O=Example");
  CHECK(is_slash_text_of("/O=Example/CN=Ada of A/B/UID=ada/emailAddress=ada@example.org", ada));
  CHECK(is_slash_text_of("/o=Example/cn=Ada of A/B/USERID=ada/Email=ada@example.org", ada));
  CHECK(is_slash_text_of(slash_text(ada), ada));
}

TEST_CASE("what is not exactly the certificate's name is another name") {
  auto const ada = name("CN=Ada,O=Example");
  for (auto const* other :
       {"", "/", "/O=Example", "/O=Example/CN=ada", "/O=Example/CN=Ada/CN=proxy", "/O=Example/CN=Ada ",
        "O=Example/CN=Ada", "/CN=Ada/O=Example", "/O=Example/OU=Ada", "/O=Example/CN=", "/O=Example/CN",
        "CN=Ada,O=Example", "/O=Example//CN=Ada", "/O=Example,CN=Ada"}) {
    INFO(other);
    CHECK_FALSE(is_slash_text_of(other, ada));
  }
  // A value with a slash is not two parts, and two parts are not one value.
  CHECK_FALSE(is_slash_text_of("/O=Example/CN=Ada/CN=proxy", name("CN=Ada/CN\\=other,O=Example")));
  CHECK(is_slash_text_of("/O=Example/CN=Ada/CN=proxy", name("CN=Ada/CN\\=proxy,O=Example")));
}

}  // namespace
}  // namespace imageswarm::trust
