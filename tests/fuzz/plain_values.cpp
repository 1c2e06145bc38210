#include <span>

#include "common/base/clock.hpp"
#include "common/base/digest.hpp"
#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "common/base/uuid.hpp"
#include "common/document/model.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

/// Numbers, times and encodings: each is read back from what is written of it.
void fuzz::try_out(std::string_view input) {
  if (auto const rate = parse_rate(input)) demand(parse_rate(exact(*rate)) == *rate);
  if (auto const time = parse_time(input)) demand(format_time(*time) == input);
  if (auto const id = Uuid::parse(input)) demand(Uuid::parse(id->text()) == *id);
  if (auto const digest = Sha256::parse(input)) demand(digest->hex() == input);
  if (auto const bytes = from_base64(input)) demand(to_base64(std::as_bytes(std::span{*bytes})) == input);
  if (auto const bytes = from_hex(input)) demand(to_hex(std::as_bytes(std::span{*bytes})) == input);
  if (auto const version = document::Version::parse(input)) demand(*version == *version);
  if (auto const number = parse_number(input, 0, UINT64_MAX)) demand(std::to_string(*number) == input);
  (void)parse_size(input);
  (void)parse_duration(input);
  auto const shown = printable(input, 1000);
  demand(is_utf8(shown) && printable(shown, 5000) == shown);
  demand(matches_glob("*", input) && matches_glob(input, "x") == matches_glob(input, "x"));
}

}  // namespace imageswarm
