#include "common/trust/namespaces.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "common/trust/signature.hpp"
#include "tests/support/forgery.hpp"
#include "tests/support/test_ca.hpp"

namespace imageswarm::trust {
namespace {

using Catch::Matchers::Contains;
using test::AnchorsCopy;
namespace fs = std::filesystem;

std::string const body = "document: catalogue\nformat: 1\nname: example\n";
std::string const root = "/O=Imageswarm Test/CN=Test Root CA";
std::string const issuing = "/O=Imageswarm Test/CN=Test Issuing CA";

std::string statement(std::string const& issuer, std::string const& verdict, std::string const& subject) {
  return "TO Issuer \"" + issuer + "\" " + verdict + " Subject \"" + subject + "\"\n";
}

std::string policy(std::string const& issuer, std::string const& conditions) {
  return "access_id_CA X509 '" + issuer + "'\npos_rights globus CA:sign\ncond_subjects globus '" + conditions + "'\n";
}

/// Anchors with rules, and what becomes of a signature under them: "" or the whole error.
struct Anchors : AnchorsCopy {
  void write(std::string const& authority, std::string const& suffix, std::string const& text,
             std::string const& hash = "subject_hash") const {
    std::ofstream{file_of(authority, suffix, hash)} << text;
  }
  std::string outcome(Requirement namespaces = Requirement::if_present, std::string const& signer = "ada") const {
    AnchorPolicy const anchors{path() / "anchors", Requirement::require, namespaces};
    auto const signature =
        verify_signature(body, test::make_cms(body, {.signer = signer}), anchors, test::TestCa::instance().now());
    return signature ? "" : signature.error().line();
  }
};

auto const refused = Catch::StartsWith("ca-namespace: ");

TEST_CASE("a CA signs what its namespaces permit and nothing else") {
  Anchors const anchors;
  anchors.write("issuing", "namespaces", statement("self", "PERMIT", "/O=Example/.*"));
  CHECK(anchors.outcome() == "");
  anchors.write("issuing", "namespaces", statement("self", "PERMIT", "/O=Elsewhere/.*"));
  CHECK_THAT(anchors.outcome(), refused && Contains("CN=Ada Endorser,O=Example") && Contains(".namespaces"));
  CHECK(anchors.outcome(Requirement::off) == "");
  CHECK_THAT(anchors.outcome(Requirement::require), refused);
}

TEST_CASE("the first rule that matches decides, and none permits nothing") {
  Anchors const anchors;
  auto const deny = statement("self", "DENY", ".*/CN=Ada .*"), permit = statement("self", "PERMIT", "/O=Example/.*");
  anchors.write("issuing", "namespaces", deny + permit);
  CHECK_THAT(anchors.outcome(), refused);
  CHECK(anchors.outcome(Requirement::if_present, "bob") == "");
  anchors.write("issuing", "namespaces", permit + deny);
  CHECK(anchors.outcome() == "");
  anchors.write("issuing", "namespaces", "# nothing\n");
  CHECK_THAT(anchors.outcome(), refused);
}

TEST_CASE("namespaces go before a signing policy, and the hash of before OpenSSL 1.0 counts as well") {
  Anchors const anchors;
  anchors.write("issuing", "signing_policy", policy(issuing, "\"/O=Elsewhere/*\" \"/O=Example/CN=Ada*\""));
  CHECK(anchors.outcome() == "");
  CHECK_THAT(anchors.outcome(Requirement::if_present, "bob"), refused);
  anchors.write("issuing", "namespaces", statement(issuing, "PERMIT", "/O=Elsewhere/.*"), "subject_hash_old");
  CHECK_THAT(anchors.outcome(), refused && Contains(".namespaces"));
}

TEST_CASE("every CA of the chain is asked, the root about its intermediate") {
  Anchors const anchors;
  anchors.write("issuing", "namespaces", statement("self", "PERMIT", ".*"));
  CHECK_THAT(anchors.outcome(Requirement::require), refused && Contains("Test Root CA") && Contains("neither"));
  anchors.write("root", "namespaces", statement("self", "PERMIT", issuing));
  CHECK(anchors.outcome(Requirement::require) == "");
  anchors.write("root", "namespaces", statement("self", "PERMIT", "/O=Example/.*"));
  CHECK_THAT(anchors.outcome(), refused && Contains("may not sign CN=Test Issuing CA"));
}

TEST_CASE("an intermediate without a file of its own is bound by what the files above say of it by name") {
  Anchors const anchors;
  auto const own = statement("self", "PERMIT", issuing);
  anchors.write("root", "namespaces", own);
  CHECK(anchors.outcome() == "");
  CHECK_THAT(anchors.outcome(Requirement::require), refused && Contains("CN=Test Issuing CA") && Contains("neither"));
  anchors.write("root", "namespaces", own + statement(issuing, "PERMIT", "/O=Example/.*"));
  CHECK(anchors.outcome(Requirement::require) == "");
  anchors.write("root", "namespaces", own + statement(issuing, "PERMIT", "/O=Elsewhere/.*"));
  CHECK_THAT(anchors.outcome(), refused);
  anchors.write("issuing", "namespaces", statement("self", "PERMIT", "/O=Example/.*"));
  CHECK(anchors.outcome() == "");
}

TEST_CASE("rules for other CAs do not count, not even in a CA's own file") {
  Anchors const anchors;
  anchors.write("issuing", "signing_policy", policy(root, "\"/*\""));
  CHECK_THAT(anchors.outcome(), refused);
  anchors.write("issuing", "signing_policy", policy(root, "\"/*\"") + policy(issuing, "/O=Example/*"));
  CHECK(anchors.outcome() == "");
}

TEST_CASE("a file that is not understood or cannot be read refuses what it governs") {
  Anchors const anchors;
  anchors.write("issuing", "signing_policy", policy(issuing, "\"/*\""));
  anchors.write("other", "namespaces", "nonsense\n");
  CHECK(anchors.outcome() == "");
  CHECK_THAT(anchors.outcome(Requirement::if_present, "other-ada"), refused && Contains(".namespaces: line 1: "));
  anchors.write("issuing", "namespaces", "TO Issuer self PERMIT\n");
  CHECK_THAT(anchors.outcome(), refused && Contains("line 1: "));
  auto const file = anchors.file_of("issuing", "namespaces");
  fs::remove(file);
  fs::create_symlink("absent", file);
  CHECK_THAT(anchors.outcome(), refused);
  fs::remove(file);
  std::ofstream{file} << std::string(300 * 1024, '#');
  CHECK_THAT(anchors.outcome(), refused && Contains("larger"));
}

TEST_CASE("one PEM file has no place for rules") {
  auto const outcome = [](Requirement namespaces) {
    AnchorPolicy const anchors{test::TestCa::instance().path() / "anchors.pem", Requirement::require, namespaces};
    return verify_signature(body, test::make_cms(body, {}), anchors, test::TestCa::instance().now());
  };
  CHECK(outcome(Requirement::if_present));
  REQUIRE_FALSE(outcome(Requirement::require));
  CHECK_THAT(outcome(Requirement::require).error().line(), refused && Contains("directory"));
}

TEST_CASE("a slash inside of a value is no boundary between parts") {
  Anchors const anchors;  // slash: O=Example/CN=Ada Endorser,CN=x — one part O, not two
  auto const permitted = [&](std::string const& verdict, std::string const& pattern) {
    anchors.write("issuing", "namespaces",
                  statement("self", verdict, pattern) + statement("self", "PERMIT", verdict == "DENY" ? ".*" : "none"));
    return anchors.outcome(Requirement::if_present, "slash") == "";
  };
  CHECK_FALSE(permitted("PERMIT", "/O=Example/CN=Ada Endorser/.*"));
  CHECK_FALSE(permitted("PERMIT", "/O=.*/CN=Ada Endorser/.*"));
  CHECK(permitted("PERMIT", "/O=Example.*/CN=x"));
  CHECK(permitted("PERMIT", "/O=[^/]*/CN=x"));
  CHECK_FALSE(permitted("DENY", "/O=Example/CN=Ada Endorser/.*"));
  CHECK_FALSE(permitted("DENY", "/O=[^/]*/CN=x"));
}

}  // namespace
}  // namespace imageswarm::trust
