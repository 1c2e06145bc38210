#include "common/trust/smime.hpp"

#include <openssl/cms.h>

#include <catch2/catch.hpp>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "tests/support/forgery.hpp"
#include "tests/support/test_ca.hpp"

namespace imageswarm::trust {
namespace {

using Catch::Matchers::Contains;
using test::Forgery;
using test::TestCa;

std::string const text = "{\"hv:imagelist\": {\n  \"dc:title\": \"Example\"\n}}\n";

Result<SignedText> verify(std::string const& message) {
  return verify_smime(message, TestCa::instance().anchors(), TestCa::instance().now());
}

void check_refused(std::string const& message, Fault fault) {
  auto const result = verify(message);
  REQUIRE_FALSE(result);
  CAPTURE(result.error().line());
  CHECK(word(result.error().fault) == word(fault));
}

std::string signed_by(std::string const& name, std::string const& content = text) {
  return TestCa::instance().signer(name).sign_smime(content).value();
}

/// What `openssl ARGUMENTS` makes of the text, signed by ada.
std::string made_by_openssl(std::string const& arguments, std::string const& content = text) {
  test::TemporaryDirectory const directory;
  REQUIRE(write_file_atomically(directory / "list.json", content));
  auto const pki = TestCa::instance().path().native();
  test::shell(directory.path(), fmt::format("openssl {} -in list.json -out list.smime -signer {}/ada.pem "
                                            "-certfile {}/ca/issuing.pem -inkey {}/ada.key 2>log",
                                            arguments, pki, pki, pki));
  return read_file(directory / "list.smime", 1_MiB).value();
}

std::string forged(Forgery const& forgery) {
  auto const der = test::make_cms(with_crlf(text), forgery);
  return write_smime(text, std::as_bytes(std::span{der}), "sha-256");
}

std::string replaced(std::string in, std::string_view what, std::string_view with) {
  auto const at = in.find(what);
  REQUIRE(at != in.npos);
  return in.replace(at, what.size(), with);
}

/// The line `--boundary` of the message.
std::string boundary_line(std::string const& message) {
  auto const at = message.find("\n------") + 1;
  return message.substr(at, message.find_first_of("\r\n", at) - at);
}

TEST_CASE("a clear-signed message gives its text and who signed it") {
  auto const name = GENERATE(as<std::string>{}, "ada", "bob", "grace");
  auto const opened = verify(signed_by(name));
  if (!opened) FAIL(opened.error().line());
  CHECK(opened->text == with_crlf(text));
  CHECK(opened->signature.signer.subject == TestCa::instance().signer(name).signer().subject);
}

TEST_CASE("openssl verifies the message that we sign") {
  test::TemporaryDirectory const directory;
  auto const name = GENERATE(as<std::string>{}, "ada", "grace");
  REQUIRE(write_file_atomically(directory / "list.smime", signed_by(name)));
  auto const command = fmt::format("openssl smime -verify -in list.smime -CAfile {}/anchors.pem -out list.json 2>log",
                                   TestCa::instance().path().native());
  test::shell(directory.path(), command);
  CHECK(read_file(directory / "list.json", 1_MiB).value() == with_crlf(text));
}

TEST_CASE("what openssl signs is read in all its forms") {
  auto const arguments =
      GENERATE(as<std::string>{}, "smime -sign -md sha256", "smime -sign -md sha512 -crlfeol", "cms -sign -md sha256",
               "smime -sign -md sha256 -nodetach", "cms -sign -nodetach", "cms -sign -nodetach -stream");
  INFO(arguments);
  auto const opened = verify(made_by_openssl(arguments));
  if (!opened) FAIL(opened.error().line());
  CHECK(opened->text == with_crlf(text));
  CHECK(opened->signature.signer.subject.text() == "CN=Ada Endorser,O=Example");
}

TEST_CASE("line ends may change on the way, and nothing else") {
  auto const message = signed_by("bob");
  CHECK(verify(with_crlf(message)));
  check_refused(replaced(message, "\"Example\"\n", "\"Example\" \n"), Fault::sig_invalid);
  check_refused(replaced(message, "\"Example\"\n", "\"Example\"\n\n"), Fault::sig_invalid);
  check_refused(replaced(message, "\"Example\"\n", "\"Example\"\r\r\n"), Fault::sig_invalid);
}

TEST_CASE("a signature over bare LF is refused, as the usual verifiers do") {
  auto const der = test::make_cms(text, {});
  check_refused(write_smime(text, std::as_bytes(std::span{der}), "sha-256"), Fault::sig_invalid);
}

TEST_CASE("what stands before the first boundary and after the last is never content") {
  auto const message = signed_by("bob");
  auto const line = boundary_line(message);
  auto const preamble = replaced(message, "This is an S/MIME signed message", "{\"hv:imagelist\": {\"evil\": 1}}");
  auto const epilogue = message + "{\"hv:imagelist\": {\"evil\": 1}}\n" + line + "\n{}\n" + line + "--\n";
  for (auto const& injected : {preamble, epilogue}) {
    auto const opened = verify(injected);
    REQUIRE(opened);
    CHECK(opened->text == with_crlf(text));
  }
}

TEST_CASE("games with boundaries are refused") {
  auto const message = signed_by("bob");
  auto const line = boundary_line(message);
  auto const bare = line.substr(2);
  check_refused(replaced(message, line + "\n", line + "\nevil\n" + line + "\n"), Fault::sig_invalid);  // three parts
  check_refused(replaced(message, line + "--", line + "\n\nthird\n" + line + "--"), Fault::sig_invalid);
  check_refused(replaced(message, line + "\n{", line + "x\n{"), Fault::sig_invalid);
  check_refused(replaced(message, line + "--", ""), Fault::sig_invalid);
  check_refused(replaced(message, line + "\n", line + "--\n" + line + "\n"), Fault::sig_invalid);
  check_refused(replaced(message, "; boundary=\"" + bare + "\"", ""), Fault::sig_invalid);
  check_refused(replaced(message, "boundary=\"", "boundary=\"other"), Fault::sig_invalid);
  check_refused(replaced(message, "\n\nThis", "\nContent-Type: text/plain\n\nThis"), Fault::sig_invalid);
}

TEST_CASE("a signed message inside of an unsigned or foreign one is not reached") {
  auto const message = signed_by("bob");
  check_refused(
      "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"outer\"\n\n--outer\n" + message + "\n--outer--\n",
      Fault::sig_missing);
  auto const nested = verify(signed_by("ada", message));
  REQUIRE(nested);
  CHECK(nested->text == with_crlf(message));
  CHECK(nested->signature.signer.subject.text() == "CN=Ada Endorser,O=Example");
}

TEST_CASE("what is no signed S/MIME message is missing its signature") {
  for (auto const& plain :
       {std::string{}, text, std::string{"<html><body>Not found</body></html>\n"},
        std::string{"Content-Type: application/json\n\n"} + text, std::string{"Content-Type: multipart/signed"}}) {
    INFO(plain);
    check_refused(plain, Fault::sig_missing);
  }
  check_refused(std::string(17u << 20, ' '), Fault::too_large);
}

TEST_CASE("a signature part that is none is refused") {
  auto const message = signed_by("bob");
  check_refused(replaced(message, "Content-Type: application/x-pkcs7-signature", "Content-Type: text/plain"),
                Fault::sig_invalid);
  check_refused(replaced(message, "Encoding: base64", "Encoding: 8bit"), Fault::sig_invalid);
  check_refused(replaced(message, "\n\nMII", "\n\n!MII"), Fault::sig_invalid);
}

TEST_CASE("the rules for signatures hold in S/MIME too") {
  struct Row {
    char const* what;
    Forgery forgery;
    Fault fault;
  };
  auto const row = GENERATE(values<Row>({{"two signers", {.second_signer = "ada"}, Fault::sig_invalid},
                                         {"no signed attributes", {.flags = CMS_NOATTR}, Fault::sig_invalid},
                                         {"SHA-1, as in lists of 2011", {.digest = EVP_sha1()}, Fault::alg_weak},
                                         {"proxy", {.signer = "proxy"}, Fault::cert_purpose},
                                         {"revoked", {.signer = "revoked"}, Fault::cert_revoked},
                                         {"unknown CA", {.signer = "stranger"}, Fault::chain_untrusted},
                                         {"expired", {.signer = "expired"}, Fault::cert_expired}}));
  INFO(row.what);
  check_refused(forged(row.forgery), row.fault);
}

TEST_CASE("an opaque message is held to the same rules") {
  check_refused(made_by_openssl("cms -sign -nodetach -md sha1"), Fault::alg_weak);
  check_refused(made_by_openssl("cms -sign -nodetach -noattr"), Fault::sig_invalid);
}

TEST_CASE("no byte of the signed text can change") {
  auto const message = signed_by("bob");
  auto const begin = message.find(text);
  REQUIRE(begin != message.npos);
  for (std::size_t at = begin; at < begin + text.size(); ++at) {
    for (int const flip : {0x01, 0x20, 0x80}) {
      auto altered = message;
      altered[at] = static_cast<char>(altered[at] ^ flip);
      CAPTURE(at - begin, flip);
      CHECK_FALSE(verify(altered));
    }
  }
}

TEST_CASE("a byte changed anywhere gives the same text by the same signer, or nothing") {
  bool const opaque = GENERATE(false, true);
  auto const message = opaque ? made_by_openssl("smime -sign -nodetach") : signed_by("bob");
  auto const signer = TestCa::instance().signer(opaque ? "ada" : "bob").signer().text();
  int refused = 0;
  for (std::size_t at = 0; at < message.size(); ++at) {
    auto altered = message;
    altered[at] = static_cast<char>(altered[at] ^ 0x01);
    auto const opened = verify(altered);
    refused += !opened;
    CAPTURE(at);
    if (opened) CHECK((opened->text == with_crlf(text) && opened->signature.signer.text() == signer));
  }
  CHECK(refused > static_cast<int>(message.size()) / 2);
}

}  // namespace
}  // namespace imageswarm::trust
