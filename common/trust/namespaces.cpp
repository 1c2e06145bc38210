#include "common/trust/namespaces.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "common/trust/namespace_file.hpp"
#include "common/trust/slash_name.hpp"

namespace imageswarm::trust {
namespace fs = std::filesystem;
namespace {

/// The largest of IGTF's has about 5 kB.
constexpr ByteCount max_policy_file = 256_KiB;
/// Longest subject that is compared, in bytes; X.520 allows 64 characters for most values.
constexpr std::size_t max_subject = 1024;
/// Stands for a slash inside of a value. No pattern holds it, so only `.`, `*` and the like can match it.
constexpr char inner_slash = '\x01';

/// The rules that bind one CA.
struct Binding {
  fs::path file;
  std::vector<NamespaceRule> rules;
};

/// The hash of the CA's name as OpenSSL computes it now, and as it did before 1.0.
std::array<unsigned long, 2> hashes_of(X509_NAME const* name) {
  return {X509_NAME_hash_ex(name, nullptr, nullptr, nullptr), X509_NAME_hash_old(name)};
}

/// The file beside HASH.0: `.namespaces` goes before `.signing_policy`.
Result<std::optional<Binding>> file_of(X509 const& ca, fs::path const& directory) {
  struct Form {
    char const* suffix;
    Result<std::vector<NamespaceRule>> (*parse)(std::string_view);
  };
  for (auto const form : {Form{"namespaces", parse_namespaces}, Form{"signing_policy", parse_signing_policy}}) {
    for (auto const hash : hashes_of(X509_get_subject_name(&ca))) {
      auto const path = directory / fmt::format("{:08x}.{}", hash, form.suffix);
      std::error_code error;
      // A link that leads nowhere is there, and does not read.
      if (fs::symlink_status(path, error).type() == fs::file_type::not_found) continue;
      auto const text = read_file(path, max_policy_file);
      if (!text) return fail(Fault::ca_namespace, "{}", text.error().what);
      auto rules = form.parse(*text);
      if (!rules) return fail(std::move(rules.error()).in(printable(path.native())));
      return Binding{path, std::move(*rules)};
    }
  }
  return std::nullopt;
}

/// What binds the CA at `at`: its own file, else that of the nearest CA above which names it.
Result<std::optional<Binding>> binding_of(std::span<CertificatePtr const> chain, std::size_t at,
                                          DistinguishedName const& name, fs::path const& directory) {
  for (auto above = at; above < chain.size(); ++above) {
    auto file = file_of(*chain[above], directory);
    if (!file) return file;
    if (!*file) continue;
    bool const own = above == at;
    std::erase_if((*file)->rules,
                  [&](auto const& rule) { return rule.issuer.empty() ? !own : !is_slash_text_of(rule.issuer, name); });
    if (own || !(*file)->rules.empty()) return file;
  }
  return std::nullopt;
}

/// The first rule that matches decides. To be permitted, a name has to match as a list of parts: a slash inside of a
/// value passes for no slash of a pattern. To be denied, looking alike is enough.
bool permits(std::vector<NamespaceRule> const& rules, DistinguishedName const& subject) {
  auto const alike = slash_text(subject), exact = slash_text(subject, inner_slash);
  auto const decisive = std::ranges::find_if(rules, [&](auto const& rule) {
    return rule.subject.matches(exact) || (!rule.permits && rule.subject.matches(alike));
  });
  return decisive != rules.end() && decisive->permits;
}

/// May the CA at `at` sign the certificate before it?
Result<> check_link(std::span<CertificatePtr const> chain, std::size_t at, AnchorPolicy const& policy) {
  auto const subject = name_of(X509_get_subject_name(chain[at - 1].get()));
  auto const issuer = name_of(X509_get_subject_name(chain[at].get()));
  if (!subject || !issuer) return fail(Fault::ca_namespace, "{}", (subject ? issuer : subject).error().what);
  // A CA may renew its own certificate. Its name is the same, and so are the rules that bind it.
  if (*subject == *issuer) return {};
  auto const binding = binding_of(chain, at, *issuer, policy.anchors);
  if (!binding) return fail(binding.error());
  auto const ca = printable(issuer->text(), 500);
  if (!*binding) {
    if (policy.namespaces == Requirement::if_present) return {};
    return fail(Fault::ca_namespace, "the CA {} has neither a .namespaces nor a .signing_policy file in {}", ca,
                printable(policy.anchors.native()));
  }
  if (slash_text(*subject).size() <= max_subject && permits((*binding)->rules, *subject)) return {};
  return fail(Fault::ca_namespace, "the CA {} may not sign {}: nothing in {} permits it", ca,
              printable(subject->text(), 500), printable((*binding)->file.native()));
}

}  // namespace

Result<> check_namespaces(std::span<CertificatePtr const> chain, AnchorPolicy const& policy) {
  if (policy.namespaces == Requirement::off) return {};
  std::error_code error;
  if (!fs::is_directory(policy.anchors, error)) {
    if (policy.namespaces == Requirement::if_present) return {};
    return fail(Fault::ca_namespace, "{} is one file, without a place for what a CA may sign; use a directory",
                printable(policy.anchors.native()));
  }
  for (std::size_t at = 1; at < chain.size(); ++at) {
    if (auto good = check_link(chain, at, policy); !good) return good;
  }
  return {};
}

}  // namespace imageswarm::trust
