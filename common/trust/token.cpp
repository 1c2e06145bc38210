// OpenSSL 3 has deprecated engines in favour of providers, but Debian 12 has no provider for PKCS#11. It counts for the
// headers below as well, so it stands before them.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "common/trust/token.hpp"

#include <dlfcn.h>
#include <openssl/engine.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <vector>

#include "common/base/file.hpp"
#include "common/base/text.hpp"

namespace imageswarm::trust {
namespace {

constexpr std::string_view scheme = "pkcs11:";
/// The engine takes PINs of up to 32 characters.
constexpr ByteCount max_pin_file{64};

struct TokenUri {
  std::string object;  ///< for the engine, which does not know the rest
  std::string module;  ///< empty: the one that is set up on this machine
  std::optional<std::string> pin_file;
};

Result<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  while (!text.empty()) {
    auto const taken = text.front() == '%' ? 3u : 1u;
    auto const byte = taken == 3 ? from_hex(lower_case(text.substr(1, 2))) : std::vector{std::uint8_t(text.front())};
    if (!byte || byte->empty() || byte->front() == 0)
      return fail(Fault::usage, "a percent sign without two hex digits");
    decoded += static_cast<char>(byte->front());
    text.remove_prefix(taken);
  }
  return decoded;
}

struct Attribute {
  std::string_view text;  ///< as it stands in the URI
  std::string name;       ///< decoded, lower case
  std::string_view value;
};

/// Of path and query alike: the engine would look for a PIN at any place of the URI, so we do as well.
Result<std::vector<Attribute>> attributes_of(std::string_view uri) {
  std::vector<Attribute> attributes;
  for (auto begin = scheme.size(); begin <= uri.size();) {
    auto const end = std::min(uri.find_first_of(";?&", begin), uri.size());
    auto const text = uri.substr(begin, end - begin);
    auto const equals = std::min(text.find('='), text.size());
    auto const name = percent_decoded(text.substr(0, equals));
    if (!name) return fail(name.error());
    attributes.push_back({text, lower_case(*name), text.substr(std::min(equals + 1, text.size()))});
    begin = end + 1;
  }
  return attributes;
}

Result<TokenUri> parse(std::string_view uri) {
  TokenUri parsed{std::string{scheme}, {}, {}};
  auto const attributes = attributes_of(uri);
  if (!attributes) return fail(attributes.error());
  for (auto const& attribute : *attributes) {
    auto const value = percent_decoded(attribute.value);
    if (!value) return fail(value.error());
    if (attribute.name == "pin-value") {
      return fail(Fault::usage,
                  "pin-value shows the PIN to everybody who lists the processes: leave it out to be asked, or write "
                  "pin-source=file:PATH; and change this PIN");
    }
    if (attribute.name == "module-path") {
      parsed.module = *value;
    } else if (attribute.name == "pin-source") {
      if (!value->starts_with("file:")) return fail(Fault::usage, "pin-source: only file:PATH is known");
      parsed.pin_file = value->substr(5);
    } else if (!attribute.text.empty()) {
      if (parsed.object.size() > scheme.size()) parsed.object += ';';
      parsed.object += attribute.text;
    }
  }
  return parsed;
}

void close_session(ENGINE* engine) {
  ENGINE_finish(engine);
  ENGINE_free(engine);
}

/// A module that does not load makes the engine write to stderr. It stays loaded: the engine takes it next.
Result<> check_module(TokenUri const& uri) {
  auto const* chosen = uri.module.empty() ? std::getenv("PKCS11_MODULE_PATH") : uri.module.c_str();
  if (!chosen || ::dlopen(chosen, RTLD_NOW | RTLD_LOCAL)) return {};
  return fail(Fault::usage, "the module cannot be loaded: {}", printable(::dlerror()));
}

/// The engine with the token's module, which it loads when the first object is asked for.
Result<std::shared_ptr<ENGINE>> open_session(TokenUri const& uri) {
  if (auto good = check_module(uri); !good) return fail(std::move(good.error()));
  ENGINE_load_dynamic();
  auto* engine = ENGINE_by_id("pkcs11");
  if (!engine) return fail(Fault::usage, "OpenSSL's engine pkcs11 is not installed (Debian: libengine-pkcs11-openssl)");
  // Else it would write to stderr.
  bool good = ENGINE_ctrl_cmd_string(engine, "QUIET", nullptr, 0) == 1;
  if (!uri.module.empty()) good = good && ENGINE_ctrl_cmd_string(engine, "MODULE_PATH", uri.module.c_str(), 0) == 1;
  if (uri.pin_file) {
    auto pin = read_file(*uri.pin_file, max_pin_file);
    if (!pin) {
      ENGINE_free(engine);
      return fail(Fault::usage, "pin-source: {}", pin.error().what);
    }
    while (pin->ends_with('\n')) pin->pop_back();
    good = good && ENGINE_ctrl_cmd_string(engine, "PIN", pin->c_str(), 0) == 1;
    OPENSSL_cleanse(pin->data(), pin->size());
  }
  if (!good || ENGINE_init(engine) != 1) {
    ENGINE_free(engine);
    return fail(Fault::usage, "OpenSSL's engine pkcs11 does not start: {}", openssl_errors());
  }
  return std::shared_ptr<ENGINE>{engine, close_session};
}

/// Why the engine did not give an object. Its words say little to a person.
std::string reason() {
  struct Row {
    std::string_view theirs, ours;
  };
  static constexpr std::array rows{
      Row{"PIN incorrect", "the PIN is wrong; it was tried once"},
      Row{"PIN locked", "the token has locked its PIN"},
      Row{"processing error", "no PIN was given"},
      Row{"object not found", "no token that is here has it, or several may"},
      Row{"invalid id", "it is no PKCS#11 URI (RFC 7512)"},
      Row{"invalid parameter", "the module shows no token"},
  };
  auto const theirs = openssl_errors();
  auto const row = std::ranges::find_if(rows, [&](Row const& each) { return theirs.find(each.theirs) != theirs.npos; });
  return row == rows.end() ? theirs : fmt::format("{} ({})", row->ours, theirs);
}

}  // namespace

bool is_token_uri(std::string_view name) {
  return lower_case(name.substr(0, scheme.size())) == scheme;
}

std::string shown_token_uri(std::string_view name) {
  if (!is_token_uri(name)) return printable(name);
  std::vector<std::string> shown;
  auto const attributes = attributes_of(name);
  if (!attributes) return std::string{scheme} + "…";
  for (auto const& attribute : *attributes) {
    // What has no value may be a part of a PIN that has a `;` in it.
    if (!attribute.value.empty() && !attribute.name.starts_with("pin-")) shown.emplace_back(attribute.text);
  }
  return printable(std::string{scheme} + join(shown, ";"));
}

Result<PrivateKey> load_token_key(std::string_view uri) {
  auto const parsed = parse(uri);
  auto session = parsed ? open_session(*parsed) : tl::unexpected{parsed.error()};
  if (!session) return fail(Fault::key_unreadable, "{}: {}", shown_token_uri(uri), session.error().what);
  // Without a UI of our own it asks on the terminal.
  KeyPtr key{ENGINE_load_private_key(session->get(), parsed->object.c_str(), nullptr, nullptr)};
  if (!key) return fail(Fault::key_unreadable, "{}: {}", shown_token_uri(uri), reason());
  return PrivateKey{std::move(*session), std::move(key)};
}

Result<CertificatePtr> load_token_certificate(std::string_view uri) {
  auto const parsed = parse(uri);
  auto const session = parsed ? open_session(*parsed) : tl::unexpected{parsed.error()};
  if (!session) return fail(Fault::certificate_unreadable, "{}: {}", shown_token_uri(uri), session.error().what);
  struct {
    char const* uri;
    X509* certificate;
  } wanted{parsed->object.c_str(), nullptr};  // as the engine's own header has it, which Debian does not install
  ENGINE_ctrl_cmd(session->get(), "LOAD_CERT_CTRL", 0, &wanted, nullptr, 0);
  CertificatePtr certificate{wanted.certificate};
  if (!certificate) return fail(Fault::certificate_unreadable, "{}: {}", shown_token_uri(uri), reason());
  return certificate;
}

}  // namespace imageswarm::trust
