#include <memory>

#include "common/trust/openssl.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

/// The name in a certificate: what is accepted of it can be written into a configuration and is found again.
void fuzz::try_out(std::string_view input) {
  auto const* at = reinterpret_cast<unsigned char const*>(input.data());
  std::unique_ptr<X509_NAME, trust::Deleter<X509_NAME_free>> const der{
      d2i_X509_NAME(nullptr, &at, static_cast<long>(input.size()))};
  if (!der) return;
  auto const shown = trust::describe(der.get());
  auto const name = trust::name_of(der.get());
  if (!name) return;
  auto const again = trust::DistinguishedName::parse(name->text());
  demand(!shown.empty() && again && *again == *name);
}

}  // namespace imageswarm
