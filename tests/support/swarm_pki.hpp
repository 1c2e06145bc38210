#pragma once

#include <filesystem>
#include <string>

#include "tests/support/temporary_directory.hpp"

namespace imageswarm::test {

/// A swarm CA of its own, made by `tests/support/swarm-ca`: ca.pem, and what is issued under it.
class SwarmPki {
public:
  /// `name` is the CA's organisation.
  explicit SwarmPki(std::string const& name);

  std::filesystem::path path() const { return directory_ / name_; }
  std::string text(std::string const& file) const;
  /// NAME.pem and NAME.key, replacing those of before; options as in the script. Gives NAME.
  std::string issue(std::string const& name, std::string const& common_name, std::string const& alternative_names,
                    std::string const& options = "") const;

private:
  TemporaryDirectory directory_;
  std::string name_;
};

}  // namespace imageswarm::test
