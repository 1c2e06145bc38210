#include "indexer/exchange/openpgp.hpp"

#include <catch2/catch.hpp>

#include "common/base/file.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_ca.hpp"

namespace imageswarm::exchange {
namespace {

std::string const text = "{\"a\": 1}\n- dash\n-----BEGIN\n";

/// Real keys by gpg: `streams` and `old` (expired) are in keys.gpg, `stranger` is not.
class Keys {
public:
  static Keys const& instance() {
    static Keys const keys;
    return keys;
  }

  std::filesystem::path ring() const { return directory_ / "keys.gpg"; }

  /// What gpg makes of the text, or of any other file of the directory.
  std::string gpg(std::string const& arguments, std::string const& input = text) const {
    REQUIRE(write_file_atomically(directory_ / "text", input));
    shell("rm -f out; " + command(arguments + " --output out text"));
    return read_file(directory_ / "out", 1_MiB).value();
  }

private:
  Keys() {
    shell("mkdir -m 700 home");
    for (auto const* name : {"streams", "stranger"}) shell(command(generate(name) + " never"));
    shell(command("--faked-system-time 20200101T000000! " + generate("old") + " 1d"));
    shell(command("--export --output keys.gpg streams old"));
  }
  ~Keys() { shell("GNUPGHOME=$PWD/home gpgconf --kill all"); }

  static std::string generate(std::string const& name) {
    return "--passphrase '' --quick-generate-key " + name + " ed25519 sign";
  }
  static std::string command(std::string const& arguments) {
    return "GNUPGHOME=$PWD/home gpg --batch --yes " + arguments;
  }
  void shell(std::string const& line) const { test::shell(directory_.path(), line); }

  test::TemporaryDirectory directory_;
};

Result<OpenPgpText> opened(std::string const& message) {
  return verify_clear_signed(message, Keys::instance().ring());
}

std::string clear_signed(std::string const& options = "--local-user streams", std::string const& content = text) {
  return Keys::instance().gpg(options + " --clear-sign", content);
}

void check_refused(Result<OpenPgpText> const& result, Fault fault) {
  REQUIRE_FALSE(result);
  CAPTURE(result.error().line());
  CHECK(word(result.error().fault) == word(fault));
}

TEST_CASE("a clear-signed message gives its text without dash-escaping") {
  auto const good = opened(clear_signed());
  if (!good) FAIL(good.error().line());
  CHECK(good->text == text);
  CHECK(good->signer.size() == 40);
}

TEST_CASE("a detached signature is one over exactly its text") {
  auto const signature = Keys::instance().gpg("--local-user streams --detach-sign");
  auto const armoured = Keys::instance().gpg("--local-user streams --armor --detach-sign");
  auto const ring = Keys::instance().ring();
  CHECK(verify_detached(text, signature, ring)->signer == opened(clear_signed())->signer);
  CHECK(verify_detached(text, armoured, ring));
  check_refused(verify_detached(text + " ", signature, ring), Fault::sig_invalid);
  check_refused(verify_detached(text, "", ring), Fault::sig_missing);
  check_refused(verify_detached(text, "<html>", ring), Fault::sig_missing);
  check_refused(verify_detached("{}", clear_signed(), ring), Fault::sig_missing);
  check_refused(verify_detached("{}", Keys::instance().gpg("--local-user streams --sign"), ring), Fault::sig_missing);
}

TEST_CASE("who is not in the keyring, and a key that has expired, sign nothing") {
  check_refused(opened(clear_signed("--local-user stranger")), Fault::signer_not_listed);
  check_refused(opened(clear_signed("--faked-system-time 20200101T060000! --local-user old")), Fault::cert_expired);
}

TEST_CASE("weak digests and more than one signature are refused") {
  check_refused(opened(clear_signed("--digest-algo SHA1 --local-user streams")), Fault::alg_weak);
  check_refused(opened(clear_signed("--local-user streams --local-user stranger")), Fault::signer_not_listed);
  check_refused(opened(clear_signed() + clear_signed()), Fault::sig_invalid);
}

TEST_CASE("what is not clear-signed is not read") {
  check_refused(opened(text), Fault::sig_missing);
  check_refused(opened(Keys::instance().gpg("--local-user streams --sign")), Fault::sig_missing);
  check_refused(opened("{}\n" + clear_signed()), Fault::sig_missing);
  check_refused(opened("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{}\n"), Fault::sig_missing);
}

TEST_CASE("no byte of a clear-signed message changes its text") {
  auto const message = clear_signed();
  auto const signer = opened(message)->signer;
  for (std::size_t at = 0; at < message.size(); at += 5) {
    auto altered = message;
    altered[at] = static_cast<char>(altered[at] ^ 1);
    auto const result = opened(altered);
    CAPTURE(at);
    if (result) CHECK((result->text == text && result->signer == signer));
  }
}

TEST_CASE("a message that holds far more than it shows ends at its own size") {
  auto const bomb =
      Keys::instance().gpg("--local-user streams --compress-level 9 --armor --sign", std::string(4u << 20, 'x'));
  REQUIRE(bomb.size() < 100'000);
  auto const lie = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n\n" + bomb;
  CHECK_FALSE(opened(lie));
}

TEST_CASE("a keyring that is not there is an error of its own") {
  check_refused(verify_clear_signed(clear_signed(), "/nonexistent/keys.gpg"), Fault::not_found);
}

}  // namespace
}  // namespace imageswarm::exchange
