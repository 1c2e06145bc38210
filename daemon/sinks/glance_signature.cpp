#include "daemon/sinks/glance_signature.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "daemon/sinks/glance_record.hpp"

namespace imageswarm::sinks {
namespace {

constexpr ByteCount max_key_file = 64_KiB;
constexpr auto signature_property = "img_signature";

template <auto free_function>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    free_function(object);
  }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;

int no_passphrase(char*, int, int, void*) {
  return -1;
}

Result<Key> load_key(std::filesystem::path const& path) {
  auto pem = read_file(path, max_key_file);
  if (!pem) return fail(Fault::key_unreadable, "{}", pem.error().what);
  Bio const reader{BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size()))};
  Key key{PEM_read_bio_PrivateKey(reader.get(), nullptr, no_passphrase, nullptr)};
  OPENSSL_cleanse(pem->data(), pem->size());
  ERR_clear_error();
  if (key) return key;
  return fail(Fault::key_unreadable, "{} has no private key in PEM without a passphrase", printable(path.native()));
}

/// Nova's word for the key.
Result<std::string> type_of(EVP_PKEY const* key, std::filesystem::path const& path) {
  std::array<char, 64> curve{};
  if (EVP_PKEY_get_group_name(key, curve.data(), curve.size(), nullptr) == 1) {
    if (std::string_view{curve.data()} == "secp384r1") return "ECC_SECP384R1";
    if (std::string_view{curve.data()} == "secp521r1") return "ECC_SECP521R1";
  }
  ERR_clear_error();
  return fail(Fault::config_value, "the key {} that shall sign images is neither EC P-384 nor P-521",
              printable(path.native()));
}

/// For one signature of a SHA-512 digest, by `begin`: EVP_PKEY_sign_init or EVP_PKEY_verify_init.
Context context_for(EVP_PKEY* key, int (*begin)(EVP_PKEY_CTX*)) {
  Context context{EVP_PKEY_CTX_new(key, nullptr)};
  bool const ready =
      context && begin(context.get()) == 1 && EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha512()) == 1;
  return ready ? std::move(context) : nullptr;
}

bool is_signed_by(EVP_PKEY* key, Sha512 const& content, std::string_view signature) {
  auto const bytes = from_base64(signature);
  auto const context = context_for(key, EVP_PKEY_verify_init);
  bool const good =
      bytes && context &&
      EVP_PKEY_verify(context.get(), bytes->data(), bytes->size(), content.bytes.data(), content.bytes.size()) == 1;
  ERR_clear_error();
  return good;
}

Result<std::string> sign(EVP_PKEY* key, Sha512 const& content) {
  auto const context = context_for(key, EVP_PKEY_sign_init);
  std::vector<unsigned char> signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
  auto size = signature.size();
  bool const done =
      context && EVP_PKEY_sign(context.get(), signature.data(), &size, content.bytes.data(), content.bytes.size()) == 1;
  ERR_clear_error();
  if (!done) return fail(Fault::key_unreadable, "OpenSSL cannot sign an image with this key");
  return to_base64(std::as_bytes(std::span{signature}.first(size)));
}

}  // namespace

Result<std::map<std::string, std::string>> signature_properties(flow::SignatureSettings const& settings,
                                                                Sha512 const& content,
                                                                openstack::GlanceImage const& record) {
  auto const key = load_key(settings.key);
  if (!key) return fail(key.error());
  auto type = type_of(key->get(), settings.key);
  if (!type) return fail(std::move(type.error()));
  std::string signature{property_of(record, signature_property)};
  if (!is_signed_by(key->get(), content, signature)) {
    auto fresh = sign(key->get(), content);
    if (!fresh) return fail(std::move(fresh.error()));
    signature = std::move(*fresh);
  }
  return std::map<std::string, std::string>{{signature_property, std::move(signature)},
                                            {"img_signature_hash_method", "SHA-512"},
                                            {"img_signature_key_type", std::move(*type)},
                                            {"img_signature_certificate_uuid", settings.certificate_uuid}};
}

}  // namespace imageswarm::sinks
