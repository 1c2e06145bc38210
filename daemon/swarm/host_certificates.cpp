#include "daemon/swarm/host_certificates.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "common/base/file.hpp"
#include "common/base/log.hpp"
#include "common/base/text.hpp"

namespace imageswarm::swarm {
namespace {

namespace fs = std::filesystem;

constexpr ByteCount max_file_size = 64_KiB;
constexpr std::chrono::hours longest_notice{24};
constexpr std::chrono::hours notice_interval{1};

std::unique_ptr<BIO, decltype(&BIO_free)> reader_of(std::string const& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free};
}

/// A daemon has nobody to ask for a passphrase.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

Result<> check_mode(fs::path const& key) {
  std::error_code error;
  auto const mode = fs::status(key, error).permissions();
  if (error) return fail(errno_error(error.value(), "reading", key));
  if ((mode & (fs::perms::group_all | fs::perms::others_all)) == fs::perms::none) return {};
  return fail(Fault::permission, "{} is not the daemon's alone: its mode must be 0400 or 0600",
              printable(key.native()));
}

TimePoint time_of(ASN1_TIME const* time) {
  std::tm parts{};
  ASN1_TIME_to_tm(time, &parts);
  return TimePoint{std::chrono::seconds{::timegm(&parts)}};
}

Result<HostCertificate> load(flow::SslSettings const& files) {
  if (auto good = check_mode(files.key); !good) return fail(std::move(good.error()));
  auto certificate = read_file(files.certificate, max_file_size);
  if (!certificate) return fail(std::move(certificate.error()));
  auto key = read_file(files.key, max_file_size);
  if (!key) return fail(std::move(key.error()));

  HostCertificate loaded{std::move(*certificate), std::move(*key), {}, {}, {}};
  loaded.parsed = {PEM_read_bio_X509(reader_of(loaded.certificate).get(), nullptr, nullptr, nullptr), X509_free};
  if (!loaded.parsed) {
    return fail(Fault::certificate_unreadable, "{} holds no certificate in PEM", printable(files.certificate.native()));
  }
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> const private_key{
      PEM_read_bio_PrivateKey(reader_of(loaded.key).get(), nullptr, no_passphrase, nullptr), &EVP_PKEY_free};
  if (!private_key) {
    return fail(Fault::key_unreadable, "{} holds no private key in PEM without a passphrase",
                printable(files.key.native()));
  }
  if (X509_check_private_key(loaded.parsed.get(), private_key.get()) != 1) {
    return fail(Fault::key_mismatch, "{} is not the key of {}", printable(files.key.native()),
                printable(files.certificate.native()));
  }
  loaded.expires = time_of(X509_get0_notAfter(loaded.parsed.get()));
  auto const lifetime = loaded.expires - time_of(X509_get0_notBefore(loaded.parsed.get()));
  loaded.renewal_due = loaded.expires - std::min<std::chrono::seconds>(longest_notice, lifetime / 4);
  return loaded;
}

}  // namespace

Result<HostCertificate> load_host_certificate(flow::SslSettings const& files) {
  auto loaded = load(files);
  ERR_clear_error();
  if (loaded) return loaded;
  return fail(Fault::swarm_error, "{}", loaded.error().line());
}

HostCertificates::Loaded HostCertificates::load(std::vector<flow::SslSettings> const& files) {
  Loaded loaded;
  for (auto const& pair : files) loaded.emplace_back(pair, load_host_certificate(pair));
  return loaded;
}

void HostCertificates::take(Loaded loaded, TimePoint now) {
  std::vector<Slot> slots;
  for (auto& [files, certificate] : loaded) {
    auto const known =
        std::find_if(slots_.begin(), slots_.end(), [&](Slot const& slot) { return slot.files == files; });
    slots.push_back(take(known == slots_.end() ? Slot{files, {}, {}, {}} : *known, std::move(certificate), now));
  }
  slots_ = std::move(slots);
}

HostCertificates::Slot HostCertificates::take(Slot slot, Result<HostCertificate> loaded, TimePoint now) const {
  auto const file = printable(slot.files.certificate.native());
  if (!loaded) {
    if (std::exchange(slot.trouble, loaded.error().what) != loaded.error().what) {
      log_warning("swarm.ssl: {}{}", slot.trouble, slot.good ? "; what was there before stays in use" : "");
    }
  } else if (slot.trouble.clear(); !slot.good || slot.good->certificate != loaded->certificate) {
    slot.good = std::move(*loaded);
    slot.next_notice = {};
    log_info("swarm.ssl: {} holds until {}", file, format_time(slot.good->expires));
  }
  if (slot.good && now >= slot.good->renewal_due && now >= slot.next_notice) {
    slot.next_notice = now + notice_interval;
    log_warning("swarm.ssl: {} {} {}: renew it", file, now < slot.good->expires ? "expires" : "expired",
                format_time(slot.good->expires));
  }
  return slot;
}

Result<HostCertificate const*> HostCertificates::choose(trust::SwarmCa const& ca, std::string_view image_id,
                                                        TimePoint now) const {
  if (slots_.empty()) {
    return fail(Fault::swarm_error, "the image is private, and swarm.ssl names no certificate of {}", ca.name());
  }
  std::vector<std::string> reasons;
  for (auto const& slot : slots_) {
    if (!slot.good) {
      reasons.push_back(slot.trouble);
      continue;
    }
    auto const admitted = ca.admits(*slot.good->parsed, image_id, now);
    if (admitted) return &*slot.good;
    reasons.push_back(fmt::format("{}: {}", printable(slot.files.certificate.native()), admitted.error().what));
  }
  return fail(Fault::swarm_error, "the image is private, and no certificate of swarm.ssl opens its swarm: {}",
              join(reasons, "; "));
}

}  // namespace imageswarm::swarm
