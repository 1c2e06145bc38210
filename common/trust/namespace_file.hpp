#pragma once

#include <regex.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace imageswarm::trust {

/// Which names a rule is about: an extended regular expression (POSIX) that has to match the whole slash form.
class NamePattern {
public:
  /// What would match in other than linear time, or means something else elsewhere, is refused: counts in braces,
  /// back-references, a backslash before a letter. Fault: ca-namespace.
  [[nodiscard]] static Result<NamePattern> from_regex(std::string_view pattern);
  /// `*` stands for any run of characters, `?` for one. Fault: ca-namespace.
  [[nodiscard]] static Result<NamePattern> from_glob(std::string_view pattern);
  bool matches(std::string const& name) const;

private:
  struct Free {
    void operator()(regex_t* regex) const;
  };
  explicit NamePattern(std::unique_ptr<regex_t, Free> regex) : regex_{std::move(regex)} {}
  std::unique_ptr<regex_t, Free> regex_;
};

/// One rule about what a CA may sign.
struct NamespaceRule {
  std::string issuer;  ///< the CA that it binds, in slash form; empty: the one that the file belongs to
  bool permits = false;
  NamePattern subject;
};

/// The rules of a `.namespaces` file (EUGridPMA, version 1.0) in their order: the first that matches decides.
/// Fault: ca-namespace, with the line of whatever is not understood.
[[nodiscard]] Result<std::vector<NamespaceRule>> parse_namespaces(std::string_view text);

/// The rules of a `.signing_policy` file (Globus EACL, groups of CA:sign alone). Fault: as above.
[[nodiscard]] Result<std::vector<NamespaceRule>> parse_signing_policy(std::string_view text);

}  // namespace imageswarm::trust
