#include "common/base/file.hpp"
#include "common/trust/envelope.hpp"
#include "common/trust/verify.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

namespace {

std::filesystem::path const kept = IMAGESWARM_SOURCE_DIR "/tests/data/documents";

trust::Expectation anybody() {
  trust::Expectation expected;
  expected.any_signer = true;
  return expected;
}

}  // namespace

/// Nobody but its signer makes another document of the kept one (docs/formats.md).
void fuzz::try_out(std::string_view input) {
  static auto const genuine = read_file(kept / "catalogue.yaml", 1_MiB).value();
  static auto const body = trust::open_envelope(genuine)->body;
  static trust::AnchorPolicy const anchors{kept / "anchors.pem", trust::Requirement::off, trust::Requirement::off};
  auto const now = parse_time("2026-12-01T00:00:00Z").value();
  if (trust::verify_catalogue(input, anchors, anybody(), {}, {now, now})) {
    demand(trust::open_envelope(input)->body == body);
  }
}

}  // namespace imageswarm
