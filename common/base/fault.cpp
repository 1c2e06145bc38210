#include "common/base/fault.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace imageswarm {
namespace {

struct Row {
  Fault fault;
  FaultClass group;
  std::string word;
};

std::string dashed(std::string_view name) {
  std::string text{name};
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

std::vector<Row> const& table() {
  static std::vector<Row> const rows{
#define FAULT(name, group) {Fault::name, FaultClass::group, dashed(#name)},
#include "common/base/faults.inc"
#undef FAULT
  };
  return rows;
}

Row const& row(Fault fault) {
  return table()[static_cast<std::size_t>(fault)];
}

constexpr std::array faults{
#define FAULT(name, group) Fault::name,
#include "common/base/faults.inc"
#undef FAULT
};

}  // namespace

std::string_view word(Fault fault) {
  return row(fault).word;
}

std::optional<Fault> fault_of(std::string_view word) {
  auto const found = std::ranges::find(table(), word, &Row::word);
  if (found == table().end()) return std::nullopt;
  return found->fault;
}

FaultClass class_of(Fault fault) {
  return row(fault).group;
}

int exit_status(Fault fault) {
  switch (class_of(fault)) {
    case FaultClass::usage:
      return 2;
    case FaultClass::refused:
      return 3;
    case FaultClass::failed:
      return 1;
  }
  return 1;
}

std::span<Fault const> all_faults() {
  return faults;
}

}  // namespace imageswarm
