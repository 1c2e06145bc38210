#include "daemon/control/ctl/ready.hpp"

#include <nlohmann/json.hpp>

#include "daemon/control/ctl/fields.hpp"

namespace imageswarm::ctl {

bool is_ready(Json const& answer) {
  return member(answer, "ready") == true;
}

Result<Json> wait_until_ready(std::function<Result<Json>()> const& ask, std::function<bool()> const& wait_a_little) {
  for (;;) {
    auto answer = ask();
    if (answer && is_ready(*answer)) return answer;
    // An image that is not there may come with the next catalogue; any other fault will not go away by waiting.
    bool const hopeless = !answer && answer.error().fault != Fault::not_found;
    if (hopeless || !wait_a_little()) return answer;
  }
}

}  // namespace imageswarm::ctl
