#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "daemon/flow/values.hpp"

namespace imageswarm::sinks {

/// Symbolic links in a directory of images, `<name of the image>` to the file of its newest version there.
///
/// A name belongs to the family that had it first. What lies under a name and is no link of this kind stays. A link to
/// a file that nothing is known of yet stays, too: after a start the newest version may be found last. Thread-safe.
class NewestLinks {
public:
  explicit NewestLinks(std::filesystem::path directory) : directory_{std::move(directory)} {}

  /// `file`, directly in the directory, is the image, complete and verified. Faults: exists (something else has the
  /// name), permission, disk-full, disk-error.
  [[nodiscard]] Result<> offer(flow::Want const& want, std::string const& file);
  /// It may not be used any more, whether it is still there or not. Faults: permission, disk-full, disk-error.
  [[nodiscard]] Result<> withhold(flow::Want const& want, std::string const& file);

private:
  struct Offered {
    std::string file, name, family;
    document::Version version;
  };
  using Offers = std::vector<Offered>;

  void forget(std::string_view file);
  [[nodiscard]] Result<> point(std::string const& name, std::string_view withheld = {}, std::string_view family = {});
  Offered const* newest(std::string_view name, std::string_view family) const;
  void warn_of_others(std::string const& name, std::string_view family);
  [[nodiscard]] Result<> replace(std::filesystem::path const& link, Offered const& offered) const;

  std::filesystem::path directory_;
  std::mutex mutex_;              // guards all that follows, and the links
  Offers offers_;                 ///< in the order in which they came
  std::set<std::string> warned_;  ///< files that are newest of their family and whose name is taken
};

}  // namespace imageswarm::sinks
