#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace imageswarm::test {

/// A directory of its own for a test, gone with everything in it at the end.
class TemporaryDirectory {
public:
  TemporaryDirectory() {
    auto name = (std::filesystem::temp_directory_path() / "imageswarm-test-XXXXXX").native();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(TemporaryDirectory const&) = delete;
  TemporaryDirectory& operator=(TemporaryDirectory const&) = delete;

  std::filesystem::path const& path() const { return path_; }
  std::filesystem::path operator/(std::string const& name) const { return path_ / name; }

private:
  std::filesystem::path path_;
};

}  // namespace imageswarm::test
