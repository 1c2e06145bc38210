#include "indexer/exchange/hepix.hpp"
#include "indexer/exchange/json.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

void fuzz::try_out(std::string_view input) {
  trust::Signer const signer{
      trust::DistinguishedName::parse("CN=Ada").value(), trust::DistinguishedName::parse("CN=CA").value(), {}};
  (void)exchange::parse_hepix(input, signer, parse_time("2026-12-01T00:00:00Z").value());
}

}  // namespace imageswarm
