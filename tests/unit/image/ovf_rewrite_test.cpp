#include "common/image/ovf_rewrite.hpp"

#include <catch2/catch.hpp>

#include "common/image/ovf.hpp"
#include "common/image/ovf_value.hpp"
#include "tests/support/appliances.hpp"
#include "tests/unit/image/builders.hpp"

using namespace imageswarm;
using namespace imageswarm::image;
using namespace imageswarm::image::test;
using namespace imageswarm::test;
using Catch::Matchers::Contains;

namespace {

/// With more properties than the sample has.
std::string ovf_with(std::string_view properties) {
  return Ova{}.in_ovf("  </ProductSection>", std::string{properties} + "  </ProductSection>").ovf;
}

Result<std::string> with_site(std::string const& ovf, std::map<std::string, std::string> values) {
  return rewrite_ovf(ovf, {.form = {}, .endorsed = {}, .site = std::move(values), .files = {}});
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  return text.replace(text.find(from), from.size(), to);
}

}  // namespace

TEST_CASE("a value takes the place of the old one and nothing else changes", "[image][ovf]") {
  auto const ovf = "\xEF\xBB\xBF" + Ova{}.in_ovf("<DiskSection>", "<!-- 'a' & \"b\" > -->\r\n<DiskSection  >").ovf;
  auto const made = with_site(ovf, {{"hostname", "wn18 <\"&'>"}});
  REQUIRE(word_of(made) == "");
  CHECK(*made == replaced(ovf, "o:value=\"wn17\"", "o:value=\"wn18 &#60;&#34;&#38;&#39;&#62;\""));
  CHECK(read_ovf(*made)->properties[0].value == "wn18 <\"&'>");
}

TEST_CASE("a property without a value gets one, under the prefix of the document", "[image][ovf]") {
  auto const ovf = ovf_with("<Property o:key='free' o:userConfigurable='1' />");
  auto const made = with_site(ovf, {{"free", "x"}});
  REQUIRE(word_of(made) == "");
  CHECK(*made == replaced(ovf, "<Property o:key='free'", "<Property o:value=\"x\" o:key='free'"));
}

TEST_CASE("a value holds in every deployment configuration", "[image][ovf]") {
  auto const made = with_site(ovf_with("<Property o:key='size' o:userConfigurable='true' o:value='a'>"
                                       "<Value o:value='b' o:configuration='big'/></Property>"),
                              {{"size", "c"}});
  REQUIRE(word_of(made) == "");
  CHECK_THAT(*made, Contains("o:userConfigurable='true' o:value='c'><Value o:value='c' o:configuration='big'/>"));
}

TEST_CASE("a property is found by its namespace, not by the letters of a prefix", "[image][ovf]") {
  auto const made = with_site(ovf_with("<Property xmlns:x='urn:x' x:value='stays' o:key='k' o:userConfigurable='true'"
                                       " o:value='goes'/>"),
                              {{"k", "v"}});
  REQUIRE(word_of(made) == "");
  CHECK_THAT(*made, Contains("x:value='stays' o:key='k' o:userConfigurable='true' o:value='v'/>"));
}

TEST_CASE("a property has a full name, of which as much must be said as is needed", "[image][ovf]") {
  auto const second =
      "<ProductSection o:class='com.x'><Info/>"
      "<Property o:key='hostname' o:userConfigurable='true'/></ProductSection></VirtualSystem>";
  auto const ovf = Ova{}.in_ovf("</VirtualSystem>", second).ovf;
  for (auto const* const name : {"net.hostname.a", "net.hostname", "hostname.a", "com.x.hostname"}) {
    INFO(name);
    CHECK(word_of(with_site(ovf, {{name, "v"}})) == "");
  }
  auto const ambiguous = with_site(ovf, {{"hostname", "v"}});
  CHECK(word_of(ambiguous) == "image-ovf");
  CHECK_THAT(ambiguous.error().what, Contains("net.hostname.a") && Contains("com.x.hostname"));
}

TEST_CASE("an unknown property is refused, and those that there are are named", "[image][ovf]") {
  auto const made = with_site(Ova{}.ovf, {{"hostnme", "x"}});
  CHECK(word_of(made) == "image-ovf");
  CHECK_THAT(made.error().what, Contains("hostnme") && Contains("net.hostname.a") && Contains("net.secret.a"));
}

TEST_CASE("what is not the user's to change has the value of the endorser", "[image][ovf]") {
  auto const ovf = ovf_with("<Property o:key='fixed' o:value='here'/>");
  CHECK(word_of(with_site(ovf, {{"fixed", "other"}})) == "image-ovf");
  CHECK(word_of(with_site(ovf, {{"fixed", "here"}})) == "");
  OvaOrder order{.form = {}, .endorsed = {{"fixed", "signed"}, {"hostname", "signed"}}, .site = {}, .files = {}};
  auto const endorsed = rewrite_ovf(ovf, order);
  REQUIRE(word_of(endorsed) == "");
  CHECK_THAT(*endorsed, Contains("o:key='fixed' o:value='signed'"));
  order.site = {{"fixed", "signed"}, {"net.hostname", "mine"}};
  auto const both = rewrite_ovf(ovf, order);
  REQUIRE(word_of(both) == "");
  CHECK_THAT(*both, Contains("o:value=\"mine\"") && Contains("o:value='signed'"));
}

TEST_CASE("the value of a refused property is not said", "[image][ovf]") {
  auto const made = with_site(
      ovf_with("<Property o:key='pin' o:password='true' o:userConfigurable='true' o:qualifiers='MaxLen(4)'/>"),
      {{"pin", "topsecret"}});
  CHECK(word_of(made) == "image-ovf");
  CHECK_THAT(made.error().what, !Contains("topsecret"));
}

TEST_CASE("files are referred to before those of the appliance", "[image][ovf]") {
  OvaOrder const order{.form = {}, .endorsed = {}, .site = {}, .files = {{"install/setup.sh", "#!/bin/sh\n"}}};
  auto const made = rewrite_ovf(Ova{}.ovf, order);
  REQUIRE(word_of(made) == "");
  CHECK(*made == replaced(Ova{}.ovf, "<File ",
                          "<File o:id=\"install/setup.sh\" o:href=\"install/setup.sh\" o:size=\"10\"/><File "));
}

TEST_CASE("a value has the type and keeps to the qualifiers of its property", "[image][ovf]") {
  struct {
    char const *type, *qualifiers, *value;
    bool fits;
  } const table[] = {
      {"boolean", "", "true", true},
      {"boolean", "", "yes", false},
      {"uint8", "", "255", true},
      {"uint8", "", "256", false},
      {"uint8", "", "-1", false},
      {"uint8", "", "", false},
      {"uint16", "", "65536", false},
      {"uint32", "", "4294967295", true},
      {"uint64", "", "18446744073709551615", true},
      {"uint64", "", "18446744073709551616", false},
      {"sint8", "", "-128", true},
      {"sint8", "", "-129", false},
      {"sint16", "", "32768", false},
      {"sint32", "", "-2147483648", true},
      {"sint64", "", "9223372036854775808", false},
      {"real32", "", "1.5e3", true},
      {"real32", "", "1e39", false},
      {"real64", "", "1e39", true},
      {"real64", "", "nan", false},
      {"real64", "", "1.5x", false},
      {"string", "MinLen(2)", "a", false},
      {"string", "MinLen(2) MaxLen(3)", "\xC3\xA4\xC3\xB6\xC3\xBC", true},
      {"string", "MinLen(2), MaxLen(3)", "abcd", false},
      {"string", "ValueMap{\"a\", \"b c\"}", "b c", true},
      {"string", "ValueMap{\"a\", \"b c\"}", "b", false},
      {"string", "ValueMap{\"a\", \"b c\"}", ", ", false},
      {"string", "vmw:Ip", "anything", true},
      {"string", "", "\x01", false},
      {"string", "", "\xFF", false},
  };
  for (auto const& row : table) {
    INFO(row.type << " " << row.qualifiers << " " << row.value);
    CHECK(check_value("p", row.type, row.qualifiers, row.value).has_value() == row.fits);
  }
}
