#include "common/trust/anchors.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "common/base/file.hpp"
#include "common/base/text.hpp"

namespace imageswarm::trust {
namespace fs = std::filesystem;
namespace {

/// A PEM file with the anchors and CRLs of all of IGTF is about 10 MB.
constexpr ByteCount max_anchor_file = 64_MiB;
/// Certificates between the signer's and the root's.
constexpr int max_depth = 4;
/// OpenSSL's measure: 112 bits, so RSA-2048, no SHA-1. It covers certificates, not the message.
constexpr int security_level = 2;

Fault fault_of_chain(int code) {
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
      return Fault::cert_expired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
      return Fault::cert_not_yet_valid;
    case X509_V_ERR_CERT_REVOKED:
      return Fault::cert_revoked;
    case X509_V_ERR_INVALID_PURPOSE:
    case X509_V_ERR_PROXY_CERTIFICATES_NOT_ALLOWED:
    case X509_V_ERR_KEYUSAGE_NO_DIGITAL_SIGNATURE:
      return Fault::cert_purpose;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
    case X509_V_ERR_EC_KEY_EXPLICIT_PARAMS:
      return Fault::alg_weak;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
    case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
      return Fault::crl_missing;
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
    case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
      return Fault::crl_stale;
    default:
      return Fault::chain_untrusted;
  }
}

int judge_slot() {
  static int const slot = X509_STORE_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return slot;
}

void keep_chain(X509_STORE_CTX* context, std::vector<CertificatePtr>& chain) {
  chain.clear();
  auto const* certificates = X509_STORE_CTX_get0_chain(context);
  for (int i = 0; i < sk_X509_num(certificates); ++i) {
    X509_up_ref(sk_X509_value(certificates, i));
    chain.emplace_back(sk_X509_value(certificates, i));
  }
}

/// OpenSSL calls it for every finding about a chain, and for each certificate whose signature is good, the leaf last;
/// 0 ends the verification.
int judge_chain(int ok, X509_STORE_CTX* context) {
  auto* judge =
      static_cast<AnchorStore::Judge*>(X509_STORE_get_ex_data(X509_STORE_CTX_get0_store(context), judge_slot()));
  if (ok) {
    if (X509_STORE_CTX_get_error_depth(context) == 0) keep_chain(context, judge->chain);
    return ok;
  }
  auto const code = X509_STORE_CTX_get_error(context);
  if (code == X509_V_ERR_UNABLE_TO_GET_CRL && judge->crl == Requirement::if_present) {
    X509_STORE_CTX_set_error(context, X509_V_OK);
    return 1;
  }
  if (!judge->problem) {
    auto const* about = X509_STORE_CTX_get_current_cert(context);
    judge->problem = Error{
        fault_of_chain(code),
        fmt::format("certificate {} (issuer {}): {}", about ? describe(X509_get_subject_name(about)) : "of the chain",
                    about ? describe(X509_get_issuer_name(about)) : "unknown", X509_verify_cert_error_string(code))};
  }
  return 0;
}

/// Is this the certificate that signed the other? A CA that renewed its key has several of one name, and where they
/// lack key identifiers OpenSSL would stay with the first that it finds.
int has_issued(X509_STORE_CTX*, X509* certificate, X509* issuer) {
  if (X509_check_issued(issuer, certificate) != X509_V_OK) return 0;
  ERR_set_mark();
  auto const good = X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;
  ERR_pop_to_mark();
  return good ? 1 : 0;
}

/// The revocation lists of an issuer's name. After a renewal there is one for each key, and without key
/// identifiers OpenSSL would take any: here those count that the key in this chain has signed, if there are some.
STACK_OF(X509_CRL) * lists_for(X509_STORE_CTX const* context, X509_NAME const* issuer) {
  auto* lists = X509_STORE_CTX_get1_crls(context, issuer);
  if (sk_X509_CRL_num(lists) < 2) return lists;
  auto const* chain = X509_STORE_CTX_get0_chain(context);
  auto const above = std::min(X509_STORE_CTX_get_error_depth(context) + 1, sk_X509_num(chain) - 1);
  auto* key = X509_get0_pubkey(sk_X509_value(chain, above));
  auto* fitting = sk_X509_CRL_new_null();
  ERR_set_mark();
  for (int i = 0; i < sk_X509_CRL_num(lists); ++i) {
    auto* list = sk_X509_CRL_value(lists, i);
    if (X509_CRL_verify(list, key) == 1 && sk_X509_CRL_push(fitting, list) > 0) X509_CRL_up_ref(list);
  }
  ERR_pop_to_mark();
  if (sk_X509_CRL_num(fitting) == 0) std::swap(fitting, lists);
  sk_X509_CRL_pop_free(lists, X509_CRL_free);
  return fitting;
}

void set_rules(X509_STORE* store, Requirement crl, TimePoint now) {
  auto* rules = X509_STORE_get0_param(store);
  X509_VERIFY_PARAM_set_time(rules, now.time_since_epoch().count());
  X509_VERIFY_PARAM_set_depth(rules, max_depth);
  X509_VERIFY_PARAM_set_auth_level(rules, security_level);
  // CRL_CHECK alone would let a revoked intermediate pass.
  if (crl != Requirement::off) {
    X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  }
}

/// "d34db33f.0": the name under which OpenSSL looks for a CA. It goes on to ".1" and so on, as long as there is one.
bool is_hashed_anchor(std::string const& name) {
  return name.size() == 10 && name.ends_with(".0") && from_hex(name.substr(0, 8));
}

Result<> add_directory(X509_STORE* store, fs::path const& directory) {
  std::error_code error;
  bool hashed = false;
  for (fs::directory_iterator entry{directory, error}, end; !error && entry != end && !hashed; entry.increment(error)) {
    hashed = is_hashed_anchor(entry->path().filename().native());
  }
  if (error) return fail(Fault::anchors_unreadable, "reading {}: {}", printable(directory.native()), error.message());
  if (!hashed) {
    return fail(Fault::anchors_unreadable, "{} holds no hashed CA certificate (HASH.0); `openssl rehash` makes them",
                printable(directory.native()));
  }
  // OpenSSL reads a colon as the end of one directory and the beginning of another.
  if (directory.native().find(':') != std::string::npos) {
    return fail(Fault::anchors_unreadable, "the path {} holds a colon", printable(directory.native()));
  }
  // Under a second name for CRLs in DER, which fetch-crl writes on request.
  auto* lookup = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());
  if (!lookup || X509_LOOKUP_add_dir(lookup, directory.c_str(), X509_FILETYPE_PEM) != 1 ||
      X509_LOOKUP_add_dir(lookup, (directory / ".").c_str(), X509_FILETYPE_ASN1) != 1) {
    return fail(Fault::anchors_unreadable, "{}: {}", printable(directory.native()), openssl_errors());
  }
  return {};
}

Result<> add_file(X509_STORE* store, fs::path const& file) {
  auto const pem = read_file(file, max_anchor_file);
  if (!pem) return fail(Fault::anchors_unreadable, "{}", pem.error().what);
  auto const reader = reader_of(*pem);
  // Nobody is asked for the passphrase of a key that does not belong there.
  auto const no_passphrase = [](char*, int, int, void*) { return -1; };
  auto* found = PEM_X509_INFO_read_bio(reader.get(), nullptr, no_passphrase, nullptr);
  int certificates = 0;
  bool good = found != nullptr;
  for (int i = 0; i < sk_X509_INFO_num(found); ++i) {
    auto const* item = sk_X509_INFO_value(found, i);
    if (item->x509) good = X509_STORE_add_cert(store, item->x509) == 1 && good;
    if (item->crl) good = X509_STORE_add_crl(store, item->crl) == 1 && good;
    certificates += item->x509 != nullptr;
  }
  sk_X509_INFO_pop_free(found, X509_INFO_free);
  if (!good) return fail(Fault::anchors_unreadable, "reading {}: {}", printable(file.native()), openssl_errors());
  if (certificates == 0) {
    return fail(Fault::anchors_unreadable, "{} holds no CA certificate in PEM", printable(file.native()));
  }
  return {};
}

}  // namespace

Result<AnchorStore> AnchorStore::open(AnchorPolicy const& policy, TimePoint now) {
  ERR_clear_error();
  StorePtr store{X509_STORE_new()};
  auto judge = std::make_unique<Judge>(Judge{policy.crl, {}, {}});
  X509_STORE_set_ex_data(store.get(), judge_slot(), judge.get());
  X509_STORE_set_verify_cb(store.get(), judge_chain);
  X509_STORE_set_check_issued(store.get(), has_issued);
  X509_STORE_set_lookup_crls(store.get(), lists_for);
  set_rules(store.get(), policy.crl, now);
  std::error_code error;
  auto const added = fs::is_directory(policy.anchors, error) ? add_directory(store.get(), policy.anchors)
                                                             : add_file(store.get(), policy.anchors);
  if (!added) return fail(added.error());
  ERR_clear_error();
  return AnchorStore{std::move(store), std::move(judge)};
}

}  // namespace imageswarm::trust
