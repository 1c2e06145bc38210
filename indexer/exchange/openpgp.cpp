#include "indexer/exchange/openpgp.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <stop_token>
#include <system_error>
#include <vector>

#include "common/base/child.hpp"
#include "common/base/file.hpp"
#include "common/base/text.hpp"

namespace imageswarm::exchange {
namespace {

constexpr auto program = "/usr/bin/gpgv";
constexpr std::chrono::seconds deadline{60};
constexpr std::size_t max_status = 64u << 10;
/// The descriptors that gpgv finds beside 0 to 2.
constexpr int status_fd = 3, signature_fd = 4, text_fd = 5;

Result<UniqueFd> memory() {
  UniqueFd fd{::memfd_create("openpgp", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  if (!fd) return fail(errno_error(errno, "making", "a file in memory"));
  return fd;
}

Result<UniqueFd> memory_with(std::string_view content) {
  auto fd = memory();
  if (!fd) return fd;
  auto const written = write_all(fd->get(), std::as_bytes(std::span{content}), "a file in memory");
  if (!written) return fail(written.error());
  ::lseek(fd->get(), 0, SEEK_SET);
  return fd;
}

/// Takes what gpgv writes, which cannot be more than `most` bytes: a compressed message may hold far more than it
/// shows.
Result<UniqueFd> memory_for(std::size_t most) {
  auto fd = memory();
  if (!fd) return fd;
  if (::ftruncate(fd->get(), static_cast<off_t>(most)) != 0 || ::fcntl(fd->get(), F_ADD_SEALS, F_SEAL_GROW) != 0) {
    return fail(errno_error(errno, "making", "a file in memory"));
  }
  return fd;
}

/// What was written since: the child's descriptor shares its position with ours.
Result<std::string> written_to(UniqueFd const& fd) {
  std::string content(static_cast<std::size_t>(std::max<off_t>(::lseek(fd.get(), 0, SEEK_CUR), 0)), '\0');
  auto const count = ::pread(fd.get(), content.data(), content.size(), 0);
  if (count != static_cast<ssize_t>(content.size())) return fail(errno_error(errno, "reading", "a file in memory"));
  return content;
}

/// The words behind each line "[GNUPG:] KEYWORD …" of gpgv's status (GnuPG's doc/DETAILS).
std::vector<std::vector<std::string_view>> lines_of(std::string_view status, std::string_view keyword) {
  std::vector<std::vector<std::string_view>> found;
  for (auto const line : split(status, '\n')) {
    auto words = split(line, ' ');
    if (words.size() > 1 && words[0] == "[GNUPG:]" && words[1] == keyword) found.push_back(std::move(words));
  }
  return found;
}

/// The signer's fingerprint, if the status speaks of one good signature and of `plaintexts` texts.
Result<std::string> judge(std::string_view status, int exit_code, std::size_t plaintexts) {
  auto const has = [&](std::string_view keyword) { return !lines_of(status, keyword).empty(); };
  if (has("EXPKEYSIG")) return fail(Fault::cert_expired, "the OpenPGP key has expired");
  if (has("REVKEYSIG")) return fail(Fault::cert_revoked, "the OpenPGP key has been revoked");
  if (has("NO_PUBKEY")) {
    return fail(Fault::signer_not_listed, "the key {} of its OpenPGP signature is not in the keyring",
                printable(lines_of(status, "NO_PUBKEY").front().back()));
  }
  if (!has("NEWSIG")) return fail(Fault::sig_missing, "it has no OpenPGP signature that can be read");
  auto const valid = lines_of(status, "VALIDSIG");
  bool const one =
      valid.size() == 1 && lines_of(status, "GOODSIG").size() == 1 && lines_of(status, "NEWSIG").size() == 1;
  if (exit_code != 0 || !one || valid[0].size() < 12 || lines_of(status, "PLAINTEXT").size() != plaintexts) {
    return fail(Fault::sig_invalid, "the OpenPGP signature is not the one good signature of this text");
  }
  // [GNUPG:] VALIDSIG fingerprint date time expiry version reserved key-algorithm digest class primary-fingerprint
  auto const digest = valid[0][9];
  if (digest != "8" && digest != "9" && digest != "10") {
    return fail(Fault::alg_weak,
                "the digest of the OpenPGP signature is number {}; SHA-256, SHA-384 and SHA-512 are "
                "accepted",
                printable(digest));
  }
  return std::string{valid[0][11]};
}

/// Runs gpgv with these further arguments and descriptors.
Result<std::string> run(std::filesystem::path const& keyring, std::vector<std::string> const& arguments,
                        std::vector<std::pair<int, int>> descriptors, std::size_t plaintexts) {
  std::error_code error;
  auto const absolute = std::filesystem::canonical(keyring, error);
  if (error) return fail(errno_error(error.value(), "opening", keyring));
  auto const status = memory_for(max_status);
  if (!status) return fail(status.error());
  ChildCommand command{{program, "--keyring", absolute, "--status-fd", std::to_string(status_fd)}, {}, {}};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.descriptors = std::move(descriptors);
  command.descriptors.emplace_back(status->get(), status_fd);
  auto child = Child::start(command);
  if (!child) return fail(child.error());
  auto const exit_code = child->wait(std::stop_token{}, deadline);
  if (!exit_code) return fail(exit_code.error());
  if (*exit_code == 127) return fail(Fault::child_failed, "{} cannot be started; install the package gpgv", program);
  auto const words = written_to(*status);
  if (!words) return fail(words.error());
  return judge(*words, *exit_code, plaintexts);
}

}  // namespace

Result<OpenPgpText> verify_clear_signed(std::string_view message, std::filesystem::path const& keyring) {
  if (!message.starts_with("-----BEGIN PGP SIGNED MESSAGE-----")) {
    return fail(Fault::sig_missing, "it is not a clear-signed OpenPGP message");
  }
  auto const input = memory_with(message);
  if (!input) return fail(input.error());
  auto const output = memory_for(message.size());
  if (!output) return fail(output.error());
  auto const signer = run(keyring, {"--output", "-"}, {{input->get(), 0}, {output->get(), 1}}, 1);
  if (!signer) return fail(signer.error());
  auto text = written_to(*output);
  if (!text) return fail(text.error());
  return OpenPgpText{std::move(*text), *signer};
}

Result<OpenPgpText> verify_detached(std::string text, std::string_view signature,
                                    std::filesystem::path const& keyring) {
  auto const signature_file = memory_with(signature), text_file = memory_with(text);
  if (!signature_file) return fail(signature_file.error());
  if (!text_file) return fail(text_file.error());
  auto const signer = run(
      keyring, {"--enable-special-filenames", "--", fmt::format("-&{}", signature_fd), fmt::format("-&{}", text_fd)},
      {{signature_file->get(), signature_fd}, {text_file->get(), text_fd}}, 0);
  if (!signer) return fail(signer.error());
  return OpenPgpText{std::move(text), *signer};
}

}  // namespace imageswarm::exchange
