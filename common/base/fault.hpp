#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace imageswarm {

/// What went wrong, as a word that messages, `--json` and scripts share (docs/faults.md).
enum class Fault : std::uint8_t {
#define FAULT(name, group) name,
#include "common/base/faults.inc"
#undef FAULT
};

/// What a fault means for the caller: the exit statuses of docs/faults.md.
enum class FaultClass : std::uint8_t {
  usage,    ///< wrong arguments or configuration: status 2
  refused,  ///< not trusted or unsafe: status 3
  failed,   ///< network, disk, a service; worth another try: status 1
};

/// The stable word, for example "serial-rollback".
std::string_view word(Fault fault);

/// The fault of a word, or nothing if there is none (a state file of a newer version).
std::optional<Fault> fault_of(std::string_view word);

FaultClass class_of(Fault fault);

/// Exit status of a command that ends with this fault: 1, 2 or 3.
int exit_status(Fault fault);

/// All faults in the order of the table.
std::span<Fault const> all_faults();

}  // namespace imageswarm
