#pragma once

#include <string>
#include <string_view>

namespace imageswarm::settings {

/// The fully qualified name of this host as far as it is known here: the kernel's, or the one that /etc/hosts gives for
/// it. DNS is not asked, since it can hold up the start for many seconds.
std::string host_name();

/// In the text of a hosts file, the first name that is `short_name` with a domain; else `short_name`.
std::string qualified(std::string_view short_name, std::string_view hosts);

/// The kernel's word for the processor, such as "x86_64".
std::string architecture();

}  // namespace imageswarm::settings
