#include "common/torrent/bencode.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

/// There is one form only: what is accepted is the whole input.
void fuzz::try_out(std::string_view input) {
  auto const value = torrent::decode(input);
  demand(!value || value->raw == input);
}

}  // namespace imageswarm
