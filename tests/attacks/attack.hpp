#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace imageswarm::attacks {

/// One thing that an attacker tries, or that an honest publisher does: who refuses everything fails as well.
struct Attack {
  std::string kind;
  std::string name;                      ///< what is done
  std::string expected;                  ///< the fault's word, or "accepted"
  std::function<std::string()> outcome;  ///< run in a process of its own, so it may crash or hang
};
using Table = std::vector<Attack>;

template <class T>
std::string outcome_of(Result<T> const& result) {
  return result ? "accepted" : std::string{word(result.error().fault)};
}

Table documents();  ///< with the next two
Table messages();
Table entries();
Table identities();
Table states();
Table yaml_texts();
Table torrents();
Table images();
Table archives();
Table http_answers();

/// Each kind of signed document with every byte changed, `stride` bytes apart from a place that `seed` gives; prints
/// how many changes there were.
Table changed_bytes(std::size_t stride, std::size_t seed);

}  // namespace imageswarm::attacks
