#include "common/trust/namespace_file.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

void fuzz::try_out(std::string_view input) {
  for (auto* parse : {trust::parse_namespaces, trust::parse_signing_policy}) {
    auto const rules = parse(input);
    if (!rules) continue;
    for (auto const& rule : *rules) (void)rule.subject.matches("/DC=org/DC=example/CN=Ada Endorser");
  }
}

}  // namespace imageswarm
