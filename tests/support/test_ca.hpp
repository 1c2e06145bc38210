#pragma once

#include <filesystem>
#include <string>

#include "common/base/clock.hpp"
#include "common/trust/sign.hpp"
#include "common/trust/verify.hpp"
#include "tests/support/temporary_directory.hpp"

namespace imageswarm::test {

/// The PKI that `tests/support/test-ca` makes; its head says who is who.
class TestCa {
public:
  /// Made once per test program, in a temporary directory that goes with it.
  static TestCa const& instance();

  std::filesystem::path const& path() const { return directory_.path(); }
  /// Its directory of anchors, CRLs required.
  trust::AnchorPolicy anchors() const { return {path() / "anchors", trust::Requirement::require}; }
  std::filesystem::path certificate(std::string const& name) const { return path() / (name + ".pem"); }
  std::filesystem::path key(std::string const& name) const { return path() / (name + ".key"); }
  /// Throws if a good signing identity does not load.
  trust::SigningIdentity signer(std::string const& name) const;
  /// When the PKI was made: its CRLs are good from then on, for 30 days.
  TimePoint now() const { return now_; }

private:
  TestCa();
  TemporaryDirectory directory_;
  TimePoint now_;
};

/// A copy of the PKI whose anchors a test may change.
class AnchorsCopy {
public:
  AnchorsCopy();
  std::filesystem::path const& path() const { return directory_.path(); }
  trust::AnchorPolicy policy(trust::Requirement crl = trust::Requirement::require) const;
  /// The file of a CA among the anchors: `hash` is subject_hash or subject_hash_old, `suffix` "0", "r0", "namespaces".
  std::filesystem::path file_of(std::string const& authority, std::string const& suffix,
                                std::string const& hash = "subject_hash") const;
  std::filesystem::path crl_of(std::string const& authority) const { return file_of(authority, "r0"); }

private:
  TemporaryDirectory directory_;
};

/// Runs a line of shell in `directory`; throws unless it ends with status 0. For the arrangement of tests alone.
void shell(std::filesystem::path const& directory, std::string const& line);

}  // namespace imageswarm::test
