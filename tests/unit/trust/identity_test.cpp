#include "common/trust/identity.hpp"

#include <catch2/catch.hpp>
#include <ostream>

namespace imageswarm::trust {

static std::ostream& operator<<(std::ostream& out, DistinguishedName::Part const& part) {
  return out << part.oid << '=' << part.value;
}

namespace {

using Catch::Matchers::Contains;
using Parts = std::vector<DistinguishedName::Part>;

constexpr auto cn = "2.5.4.3", o = "2.5.4.10", dc = "0.9.2342.19200300.100.1.25";

Parts parts_of(std::string_view text) {
  auto const name = DistinguishedName::parse(text);
  INFO(text);
  if (!name) FAIL(name.error().what);
  return name->parts();
}

TEST_CASE("RFC 2253 and slash form give the same name, most significant part first") {
  Parts const expected{{dc, "org"}, {o, "Example"}, {cn, "Ada Endorser"}};
  CHECK(parts_of("CN=Ada Endorser,O=Example,DC=org") == expected);
  CHECK(parts_of("cn = Ada Endorser ; o=Example , DC=org") == expected);
  CHECK(parts_of("/DC=org/O=Example/CN=Ada Endorser") == expected);
}

TEST_CASE("every escape of RFC 2253 is understood") {
  CHECK(parts_of(R"(CN=a\,b\+c\"d\\e\<f\>g\;h\=i\#j)") == Parts{{cn, R"(a,b+c"d\e<f>g;h=i#j)"}});
  CHECK(parts_of(R"(CN=Ren\C3\a9)") == Parts{{cn, "Ren\xC3\xA9"}});
  CHECK(parts_of(R"(CN=\ a \ ,O=x)") == Parts{{o, "x"}, {cn, " a  "}});
  CHECK(parts_of(R"(CN= "a, b+c \"d\" " ,O=x)") == Parts{{o, "x"}, {cn, R"(a, b+c "d" )"}});
  CHECK(parts_of("CN=#0c03416461,O=x") == Parts{{o, "x"}, {cn, "Ada"}});
  CHECK(parts_of("1.3.6.1.4.1.99999.7=x,OID.2.5.4.3=y") == Parts{{cn, "y"}, {"1.3.6.1.4.1.99999.7", "x"}});
}

TEST_CASE("in the slash form only an escaped slash belongs to a value") {
  CHECK(parts_of(R"(/O=x/CN=host\/www.example.org)") == Parts{{o, "x"}, {cn, "host/www.example.org"}});
  CHECK(parts_of(R"(/O=x/CN=Ren\xC3\xA9, R.)") == Parts{{o, "x"}, {cn, "Ren\xC3\xA9, R."}});
  CHECK(parts_of("/CN= a  b ") == Parts{{cn, " a  b "}});
  CHECK_THAT(DistinguishedName::parse("/O=x/CN=host/www.example.org").error().what, Contains("\\/"));
}

TEST_CASE("the names of attribute types are known by all their spellings") {
  CHECK(parts_of("USERID=a") == parts_of("UID=a"));
  CHECK(parts_of("Email=a@b") == parts_of("emailAddress=a@b"));
  CHECK(parts_of("ST=x") == Parts{{"2.5.4.8", "x"}});
  CHECK(parts_of("STREET=x") == parts_of("2.5.4.9=x"));
  CHECK(parts_of("serialNumber=1,SN=b,GN=a") == Parts{{"2.5.4.42", "a"}, {"2.5.4.4", "b"}, {"2.5.4.5", "1"}});
}

TEST_CASE("what is no distinguished name is refused") {
  auto const text = GENERATE(as<std::string>{}, "", "/", "Ada", "CN", "CN=", "CN=a,", "CN=a,,O=b", ",CN=a",
                             "CN=a+UID=b", "/CN=a+UID=b", "CN=a\\", "CN=a\\zb", "CN=\"a", "CN=\"a\"b", "CN=a<b",
                             "CN=a\"b", "XY=a", "1=a", "1.02.3=a", "CN=#", "CN=#0c", "CN=#0c034164", "CN=#0c0341646100",
                             "CN=#0101ff", "CN=\\ff", "CN=a\\00b", "/O=a//CN=b", "O=a/CN=b\\", "\xff=a");
  INFO(text);
  auto const name = DistinguishedName::parse(text);
  REQUIRE_FALSE(name);
  CHECK(name.error().fault == Fault::config_value);
}

TEST_CASE("names differ in case, blanks, order and number of parts") {
  auto const ada = *DistinguishedName::parse("CN=Ada Endorser,O=Example");
  auto const other = GENERATE(as<std::string>{}, "CN=ADA ENDORSER,O=Example", "CN=Ada  Endorser,O=Example",
                              "O=Example,CN=Ada Endorser", "CN=Ada Endorser", "CN=proxy,CN=Ada Endorser,O=Example",
                              "CN=Ada Endorser,OU=Example");
  CHECK_FALSE(*DistinguishedName::parse(other) == ada);
}

TEST_CASE("the text of a name reads back as the same name and stays on one line") {
  auto const value = GENERATE(as<std::string>{}, "a", " ", "  a ", "#a", "a#", "a,b;c+d", "\"<>\\", "/a=b", "a\nb\x7f",
                              "Ren\xC3\xA9", "\xC2\x85", "\xC3\x85\xC2\xA0", "\\", "\u202Enimda", "a\u200B");
  DistinguishedName const name{Parts{{o, "x"}, {cn, value}, {"1.2.3.4", value}}};
  INFO(name.text());
  CHECK(name.text().find_first_of("\n\x7f") == std::string::npos);
  for (auto const* hidden : {"\u0085", "\u202E", "\u200B"}) CHECK(name.text().find(hidden) == std::string::npos);
  auto const again = DistinguishedName::parse(name.text());
  REQUIRE(again);
  CHECK(*again == name);
  CHECK((*DistinguishedName::parse("CN=Ada,O=Example")).text() == "CN=Ada,O=Example");
}

TEST_CASE("a pattern without an issuer leaves the choice of the CA to the anchors") {
  auto const name = [](std::string_view text) { return *DistinguishedName::parse(text); };
  Signer const ada{name("CN=Ada"), name("CN=CA"), {}};
  CHECK(SignerPattern{name("CN=Ada"), {}}.matches(ada));
  CHECK(SignerPattern{name("CN=Ada"), name("CN=CA")}.matches(ada));
  CHECK_FALSE(SignerPattern{name("CN=Ada"), name("CN=Other CA")}.matches(ada));
  CHECK_FALSE(SignerPattern{name("CN=Bob"), {}}.matches(ada));
}

}  // namespace
}  // namespace imageswarm::trust
