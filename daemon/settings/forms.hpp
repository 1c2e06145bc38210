#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/trust/identity.hpp"
#include "common/yaml/value.hpp"
#include "daemon/flow/event.hpp"

namespace imageswarm::settings {

// The forms of single values that only the daemon's configuration has. Fault: config-value, without key and line.

/// http://…, https://…, file:///… or an absolute path.
[[nodiscard]] Result<std::string> source_url(std::string_view text);
/// ADDRESS:PORT, with an IPv6 address in brackets. Names are refused: resolving one would block the start.
[[nodiscard]] Result<std::string> listen_address(std::string_view text);
/// HOST:PORT.
[[nodiscard]] Result<std::string> host_and_port(std::string_view text);
/// CIDR: 10.0.0.0/8, 2001:db8::/32; an address alone is a network of one. Bits beyond the prefix are refused, since
/// they show that something else was meant.
[[nodiscard]] Result<std::string> network(std::string_view text);
/// "unlimited", or a number of copies from 1 on.
[[nodiscard]] Result<std::optional<unsigned>> copies(std::string_view text);
/// The ID of a project: Keystone makes 32 hex digits, identity back ends of sites may make others.
[[nodiscard]] Result<std::string> project_id(std::string_view text);
/// A tag of a Glance image, without a comma, by which tags are told apart.
[[nodiscard]] Result<std::string> tag(std::string_view text);
/// "50%".
[[nodiscard]] Result<unsigned> percent(std::string_view text);
/// What a hook is run for.
[[nodiscard]] Result<flow::EventKind> event(std::string_view text);
/// One of a command line: at most 4096 bytes, no control characters.
[[nodiscard]] Result<std::string> argument(std::string_view text);
/// A distinguished name, or `{subject, issuer}`.
[[nodiscard]] Result<trust::SignerPattern> signer(yaml::Value const& value);

/// Reads an item of a list with one of the above.
template <class T>
auto item(Result<T> (*parse)(std::string_view)) {
  return [parse](yaml::Value const& value) -> Result<T> {
    if (!value.is_text()) return fail(Fault::config_value, "a single value is expected");
    return parse(value.text());
  };
}

}  // namespace imageswarm::settings
