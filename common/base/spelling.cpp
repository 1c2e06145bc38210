#include "common/base/spelling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/base/text.hpp"

namespace imageswarm {
namespace {

/// How many letters must be changed, put in or taken out to turn `a` into `b` (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0u);
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      auto const replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string suggestion(std::string_view word, std::vector<std::string> const& known) {
  if (known.empty() || word.size() > 64) return "";
  auto const nearest = std::ranges::min_element(known, {}, [&](auto const& each) { return distance(word, each); });
  // Further off than a third of its letters it is another word, not a slip.
  return distance(word, *nearest) <= std::max<std::size_t>(2, nearest->size() / 3)
             ? fmt::format("; did you mean '{}'?", *nearest)
             : "; known here: " + join(known, ", ");
}

}  // namespace imageswarm
