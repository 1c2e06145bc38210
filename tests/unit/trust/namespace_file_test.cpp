#include "common/trust/namespace_file.hpp"

#include <catch2/catch.hpp>

#include "common/base/text.hpp"

namespace imageswarm::trust {
namespace {

using Catch::Matchers::Contains;

/// "NAME: permits PATTERN" would need the patterns' texts; what a rule does to some names says more.
std::string decisions(std::vector<NamespaceRule> const& rules, std::vector<std::string> const& names) {
  std::string text;
  for (auto const& rule : rules) {
    text += fmt::format("[{}{}", rule.issuer, rule.permits ? "+" : "-");
    for (auto const& name : names) text += rule.subject.matches(name) ? "y" : "n";
    text += "]";
  }
  return text;
}

std::string in_namespaces(std::string_view text, std::vector<std::string> const& names) {
  auto const rules = parse_namespaces(text);
  return rules ? decisions(*rules, names) : rules.error().line();
}

std::string in_signing_policy(std::string_view text, std::vector<std::string> const& names) {
  auto const rules = parse_signing_policy(text);
  return rules ? decisions(*rules, names) : rules.error().line();
}

TEST_CASE("namespaces are read with comments, continuations, any case and in their order") {
  auto const text = R"(##########
#NAMESPACES-VERSION: 1.0
# @(#)12345678.namespaces
TO Issuer "/DC=org/DC=example/CN=CA" \
  PERMIT Subject "/DC=org/DC=example/.*"   # the people
to issuer SELF \
  # a comment in between
  deny subject "/DC=org/CN=#1"

)";
  CHECK(in_namespaces(text, {"/DC=org/DC=example/CN=Ada", "/DC=org/CN=#1", "x/DC=org/DC=example/"}) ==
        "[/DC=org/DC=example/CN=CA+ynn][-nyn]");
  CHECK(in_namespaces("", {}).empty());
  CHECK(in_namespaces("TO Issuer \"self\" PERMIT Subject \".*\"\r\n", {""}) == "[+y]");
}

TEST_CASE("namespaces that are not understood are refused with their line") {
  for (auto const* statement : {"TO Issuer self PERMIT Subject", "TO Issuer self PERMIT Subject \"a\" \"b\"",
                                "TO Issuer self PERMIT Subject \"a", "TO Issuer self ALLOW Subject \"a\"",
                                "FROM Issuer self PERMIT Subject \"a\"", "TO Issuer PERMIT Subject \"a\"",
                                "TO Issuer self PERMIT Subject \"(\"", "TO Issuer self PERMIT Subject \"\"",
                                "TO Issuer self PERMIT Subject \"a{9}\"", "TO Issuer self PERMIT Subject \"(a)\\1\"",
                                "TO Issuer self PERMIT Subject \"\\d\"", "TO Issuer self PERMIT Subject \"\\<a\"",
                                "TO Issuer self PERMIT Subject \"a\x01\"", "access_id_CA X509 '/CN=CA'"}) {
    auto const outcome =
        in_namespaces(std::string{"# head\nTO Issuer self \\\n PERMIT Subject \"a\"\n"} + statement, {});
    CHECK_THAT(outcome, Catch::StartsWith("ca-namespace: line 4: "));
  }
  CHECK_THAT(in_namespaces("#NAMESPACES-VERSION: 2.0\n", {}), Contains("2.0"));
}

TEST_CASE("a regular expression has to match the whole name") {
  auto const one = [](std::string_view pattern, std::string const& name) {
    return NamePattern::from_regex(pattern).value().matches(name);
  };
  CHECK(one("/CN=a|/CN=ab", "/CN=ab"));
  CHECK_FALSE(one("/CN=a|/CN=b", "/CN=abc"));
  CHECK_FALSE(one("/CN=a", "x/CN=a"));
  CHECK(one("^/CN=[^/]*$", "/CN=a"));
  CHECK_FALSE(one("^/CN=[^/]*$", "/CN=a/CN=b"));
  CHECK(one("/CN=a\\.b", "/CN=a.b"));
  CHECK_FALSE(one("/CN=a\\.b", "/CN=axb"));
  CHECK(one("/CN=Ren\xC3\xA9", "/CN=Ren\xC3\xA9"));
  CHECK(one("/CN=.*", "/CN=Ren\xC3\xA9"));
}

TEST_CASE("synonyms of attribute types are the same in patterns and in names") {
  auto const one = [](std::string_view pattern, std::string const& name) {
    return NamePattern::from_regex(pattern).value().matches(name);
  };
  for (auto const* type : {"Email", "EMAIL", "E", "emailAddress", "1.2.840.113549.1.9.1"}) {
    CHECK(one(fmt::format("/O=x/{}=a@b", type), "/O=x/emailAddress=a@b"));
  }
  CHECK(one("(/O=x)?/USERID=a", "/UID=a"));
  CHECK(one("/S=Kent", "/ST=Kent"));
  CHECK_FALSE(one("/O=Email=a", "/O=emailAddress=a"));
  CHECK(one("/odd=a", "/odd=a"));
}

TEST_CASE("a signing policy is read in its groups, whatever the quotes") {
  auto const text = R"(# EACL
 access_id_CA      X509    '/C=US/O=Grid/Email=ca@example.org'
 pos_rights        globus  CA:sign   # the only right
 cond_subjects     globus  '"/C=us/O=Grid/*"  "/C=US/O=Grid/CN=?"'

access_id_CA X509 '/CN=Other CA'
pos_rights globus CA:sign
cond_subjects globus '/O=Other People/*'
access_id_CA X509 '/CN=Third CA'
pos_rights globus CA:sign
cond_subjects globus "/O=Third/CN=a.b"
# End
)";
  CHECK(in_signing_policy(text, {"/C=us/O=Grid/x", "/C=US/O=Grid/CN=1", "/C=US/O=Grid/CN=12", "/O=Other People/CN=x",
                                 "/O=Third/CN=a.b", "/O=Third/CN=axb"}) ==
        "[/C=US/O=Grid/Email=ca@example.org+ynnnnn][/C=US/O=Grid/Email=ca@example.org+nynnnn]"
        "[/CN=Other CA+nnnynn][/CN=Third CA+nnnnyn]");
}

TEST_CASE("a signing policy that is not understood is refused with its line") {
  auto const outcome = [](std::string_view ca, std::string_view rights, std::string_view conditions) {
    return in_signing_policy(fmt::format("# head\n{}\n{}\n{}\n", ca, rights, conditions), {});
  };
  std::string_view const ca = "access_id_CA X509 '/CN=CA'", rights = "pos_rights globus CA:sign",
                         conditions = "cond_subjects globus '\"/*\"'";
  CHECK(outcome(ca, rights, conditions) == "[/CN=CA+]");
  auto const starts = [](std::string const& begin) { return Catch::StartsWith("ca-namespace: " + begin); };
  CHECK_THAT(outcome("access_id_ANYBODY X509 '/CN=CA'", rights, conditions), starts("line 2: "));
  CHECK_THAT(outcome("access_id_CA X509", rights, conditions), starts("line 2: "));
  CHECK_THAT(outcome("access_id_CA X509 '/CN=CA", rights, conditions), starts("line 2: "));
  CHECK_THAT(outcome(ca, "neg_rights globus CA:sign", conditions), starts("line 3: "));
  CHECK_THAT(outcome(ca, "pos_rights globus CA:delegate", conditions), starts("line 3: "));
  CHECK_THAT(outcome(ca, rights, "cond_subjects globus"), starts("line 4: "));
  CHECK_THAT(outcome(ca, rights, "cond_subjects globus '\"/*\" /x'"), starts("line 4: "));
  CHECK_THAT(outcome(ca, rights, "cond_subjects globus '\"/*'"), starts("line 4: "));
  CHECK_THAT(outcome(ca, rights, ""), starts("line 2: ") && Contains("not complete"));
  CHECK_THAT(outcome(rights, ca, conditions), starts("line 2: "));
}

TEST_CASE("no character of a glob but * and ? means anything") {
  for (char c = ' '; c < 0x7F; ++c) {
    if (c == '*' || c == '?') continue;
    auto const pattern = NamePattern::from_glob(std::string{"/O=a"} + c + "b");
    INFO(c);
    REQUIRE(pattern);
    CHECK(pattern->matches(std::string{"/O=a"} + c + "b"));
    CHECK_FALSE(pattern->matches("/O=axb") != (c == 'x'));
    CHECK_FALSE(pattern->matches("/O=ab"));
  }
}

TEST_CASE("a pattern does not take forever") {
  std::string pattern;
  for (int i = 0; i < 20; ++i) pattern += "(a*)*";
  CHECK_FALSE(NamePattern::from_regex(pattern + "b")->matches(std::string(1000, 'a')));
}

}  // namespace
}  // namespace imageswarm::trust
