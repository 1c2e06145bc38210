#include "common/http/url.hpp"
#include "common/http/client.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

/// What a reference resolves to is a URL of ours, and messages never show a password.
void fuzz::try_out(std::string_view input) {
  auto const shown = http::shown(input);
  auto const url = http::resolve("https://images.example.org/a/catalogue.yaml", input);
  if (!url) return;
  auto const origin = http::origin_of(*url);
  demand(origin && (origin->scheme == "http" || origin->scheme == "https"));
}

}  // namespace imageswarm
