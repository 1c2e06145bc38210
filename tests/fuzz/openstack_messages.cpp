#include "common/openstack/messages.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

void fuzz::try_out(std::string_view input) {
  (void)openstack::parse_token(input);
  (void)openstack::parse_image(input, {});
  (void)openstack::parse_page(input, {});
  (void)openstack::parse_http_date(input);
  demand(openstack::error_text(input).find_first_of("\n\x1b") == std::string::npos);
}

}  // namespace imageswarm
