#include "common/trust/smime.hpp"
#include "common/base/file.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

void fuzz::try_out(std::string_view input) {
  static trust::AnchorPolicy const anchors{IMAGESWARM_SOURCE_DIR "/tests/data/documents/anchors.pem",
                                           trust::Requirement::off, trust::Requirement::off};
  auto const read = trust::verify_smime(input, anchors, parse_time("2026-12-01T00:00:00Z").value());
  demand(!read || trust::with_crlf(read->text) == read->text);
}

}  // namespace imageswarm
