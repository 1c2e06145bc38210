#include "common/trust/openssl.hpp"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>

#include <array>
#include <ctime>

#include "common/base/text.hpp"

namespace imageswarm::trust {

BioPtr reader_of(std::string_view text) {
  return BioPtr{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

std::string openssl_errors() {
  std::string text;
  char const* data = nullptr;
  int flags = 0;
  while (auto const code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    auto const* reason = ERR_reason_error_string(code);
    if (!text.empty()) text += ", ";
    text += reason ? reason : fmt::format("error {:x}", code);
    if ((flags & ERR_TXT_STRING) && *data) text += fmt::format(" ({})", data);
  }
  return text.empty() ? "no reason given" : printable(text, 400);
}

Result<TimePoint> time_of(ASN1_TIME const* time) {
  std::tm parts{};
  if (!time || !ASN1_TIME_to_tm(time, &parts)) return fail(Fault::sig_invalid, "it holds a time that is none");
  return TimePoint{std::chrono::seconds{::timegm(&parts)}};
}

namespace {

Result<DistinguishedName::Part> part_of(X509_NAME_ENTRY const* entry) {
  std::array<char, 128> oid{};
  auto const length = OBJ_obj2txt(oid.data(), oid.size(), X509_NAME_ENTRY_get_object(entry), 1);
  if (length <= 0 || static_cast<std::size_t>(length) >= oid.size()) {
    return fail(Fault::signer_not_listed, "its attribute type cannot be read");
  }
  unsigned char* utf8 = nullptr;
  auto const size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
  if (size < 0) return fail(Fault::signer_not_listed, "the value of {} is no text", oid.data());
  std::string value{reinterpret_cast<char const*>(utf8), static_cast<std::size_t>(size)};
  OPENSSL_free(utf8);
  if (value.empty() || value.find('\0') != std::string::npos || !is_utf8(value)) {
    return fail(Fault::signer_not_listed, "the value of {} is empty or holds a NUL", oid.data());
  }
  return DistinguishedName::Part{oid.data(), std::move(value)};
}

}  // namespace

Result<DistinguishedName> name_of(X509_NAME const* name) {
  auto const unusable = [&](std::string_view why) {
    return fail(Fault::signer_not_listed, "the name {} cannot be compared safely: {}", describe(name), why);
  };
  std::vector<DistinguishedName::Part> parts;
  int previous_set = -1;
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    auto const* entry = X509_NAME_get_entry(name, i);
    if (X509_NAME_ENTRY_set(entry) == previous_set) return unusable("two values in one part");
    previous_set = X509_NAME_ENTRY_set(entry);
    auto part = part_of(entry);
    if (!part) return unusable(part.error().what);
    parts.push_back(std::move(*part));
  }
  if (parts.empty()) return unusable("it is empty");
  return DistinguishedName{std::move(parts)};
}

std::string describe(X509_NAME const* name) {
  BioPtr const text{BIO_new(BIO_s_mem())};
  X509_NAME_print_ex(text.get(), name, 0, XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  char* data = nullptr;
  auto const size = BIO_get_mem_data(text.get(), &data);
  return size > 0 ? printable({data, static_cast<std::size_t>(size)}) : "(empty)";
}

Result<Signer> signer_of(X509 const& certificate) {
  auto subject = name_of(X509_get_subject_name(&certificate));
  if (!subject) return fail(std::move(subject.error()));
  auto issuer = name_of(X509_get_issuer_name(&certificate));
  if (!issuer) return fail(std::move(issuer.error()));
  auto const expires = time_of(X509_get0_notAfter(&certificate));
  if (!expires) return fail(expires.error());
  return Signer{std::move(*subject), std::move(*issuer), *expires};
}

Result<> check_key(X509 const& certificate) {
  auto* key = X509_get0_pubkey(&certificate);
  std::array<char, 64> curve{};
  if (key && (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS"))) {
    if (EVP_PKEY_get_bits(key) >= 2048) return {};
    return fail(Fault::alg_weak, "an RSA key of {} bits; 2048 is the least", EVP_PKEY_get_bits(key));
  }
  if (key && EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, curve.data(), curve.size(), nullptr)) {
    std::string_view const name{curve.data()};
    if (name == SN_X9_62_prime256v1 || name == SN_secp384r1) return {};
    return fail(Fault::alg_weak, "an EC key on {}; only P-256 and P-384 are accepted", name);
  }
  return fail(Fault::alg_weak, "a key that is neither RSA nor on P-256 or P-384");
}

}  // namespace imageswarm::trust
