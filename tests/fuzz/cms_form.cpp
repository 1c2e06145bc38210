#include <span>

#include "common/trust/cms_form.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

void fuzz::try_out(std::string_view input) {
  auto const signer_infos = trust::check_cms_form({reinterpret_cast<std::uint8_t const*>(input.data()), input.size()});
  demand(!signer_infos || signer_infos->size() < input.size());
}

}  // namespace imageswarm
