#pragma once

#include <string>
#include <vector>

namespace imageswarm::test {

/// An image or an appliance, not packed, and the fault's word that it must end in; "accepted" for the genuine ones.
struct HostileImage {
  std::string name;
  std::string content;
  std::string expected;
};

/// Every rule for VMDK, ISO 9660 and OVA broken one by one, formats that are two at once, and formats that are refused.
/// (Those for qcow2 are in tests/unit/image/qcow2_test.cpp.)
std::vector<HostileImage> hostile_images();

}  // namespace imageswarm::test
