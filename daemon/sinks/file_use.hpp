#pragma once

#include <optional>
#include <string>

#include "common/base/file.hpp"

namespace imageswarm::sinks {

/// Who else uses the file of a sink, in words for people; nothing if nobody does, as far as can be told: a lock on it
/// (qemu locks bytes of every image that it opens, also over NFS), a second name, or any other open descriptor on this
/// host.
///
/// Where the file system can tell of open descriptors, opening the file waits from here on until `fd` is closed, so
/// what is found unused can be removed before somebody takes it up.
std::optional<std::string> other_user_of(UniqueFd const& fd);

}  // namespace imageswarm::sinks
