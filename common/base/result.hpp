#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "common/base/fault.hpp"

namespace imageswarm {

/// Why something could not be done: the stable word for programs, one sentence for people.
///
/// `what` names the thing, the reason and, where there is one, the remedy. It starts in lower case, has no full stop
/// and no newline; what came from outside in it has gone through `printable()`.
struct Error {
  Fault fault;
  std::string what;

  /// The same error with what was being done in front: "reading the trust anchor: no such file".
  Error in(std::string_view doing) && { return {fault, fmt::format("{}: {}", doing, what)}; }

  /// "serial-rollback: serial 41 is lower than the accepted 42", the form of messages and logs.
  std::string line() const { return fmt::format("{}: {}", word(fault), what); }
};

/// Everything that can fail at run time returns this, declared [[nodiscard]].
template <class T = void>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>{std::move(error)};
}

template <class... Args>
tl::unexpected<Error> fail(Fault fault, fmt::format_string<Args...> text, Args&&... args) {
  return tl::unexpected<Error>{Error{fault, fmt::format(text, std::forward<Args>(args)...)}};
}

}  // namespace imageswarm
