#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "common/base/digest.hpp"
#include "tests/support/disks.hpp"

namespace imageswarm::test {

/// A header of a ustar archive.
class TarHeader : public Spoilable<TarHeader> {
public:
  TarHeader(std::string_view name, std::size_t size) : Spoilable{std::string(512, '\0')} {
    text(0, name).text(100, "0000644").text(108, "0000000").text(116, "0000000").octal(124, size, 11);
    text(136, "00000000000").text(156, "0").text(257, std::string_view{"ustar\00000", 8});
  }
  TarHeader& octal(std::size_t at, std::size_t value, std::size_t digits) {
    for (std::size_t i = digits; i-- > 0; value /= 8) content_[at + i] = static_cast<char>('0' + value % 8);
    return *this;
  }
  /// With the right sum.
  std::string finished() {
    text(148, "        ");
    std::size_t sum = 0;
    for (unsigned char const byte : content_) sum += byte;
    return octal(148, sum, 6).text(154, std::string_view{"\0 ", 2}).content();
  }
};

inline std::string tar_member(TarHeader header, std::string const& content) {
  auto member = header.finished() + content;
  return member + std::string((512 - member.size() % 512) % 512, '\0');
}

inline std::string tar_member(std::string_view name, std::string const& content) {
  return tar_member(TarHeader{name, content.size()}, content);
}

inline std::string end_of_tar() {
  return std::string(1024, '\0');
}

/// A sound appliance of one disk, with parts to be exchanged before it is packed.
struct Ova {
  std::string disk = Vmdk{Vmdk::Kind::stream}.content();
  std::string ovf =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\" xmlns:o=\"http://schemas.dmtf.org/ovf/envelope/1\">\n"
      " <References><File o:id=\"file1\" o:href=\"disk.vmdk\" o:size=\"131072\"/></References>\n"
      " <DiskSection><Info>Disks</Info><Disk o:diskId=\"disk1\" o:fileRef=\"file1\" o:capacity=\"10\""
      " o:capacityAllocationUnits=\"byte * 2^20\""
      " o:format=\"http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized\"/></DiskSection>\n"
      " <VirtualSystem o:id=\"vm\"><Info>A machine</Info>\n"
      "  <ProductSection o:class=\"net\" o:instance=\"a\"><Info>Network</Info><Product>Worker</Product>"
      "<Vendor>Example</Vendor><Version>7</Version>\n"
      "   <Property o:key=\"hostname\" o:type=\"string\" o:userConfigurable=\"true\" o:value=\"wn17\"/>\n"
      "   <Property o:key=\"secret\" o:password=\"true\"/>\n"
      "  </ProductSection>\n"
      " </VirtualSystem>\n"
      "</Envelope>\n";
  std::string manifest = "";  ///< "" for none

  Ova& in_ovf(std::string_view from, std::string_view to) {
    ovf.replace(ovf.find(from), from.size(), to);
    return *this;
  }
  Ova& with_manifest() {
    manifest = "SHA256(box.ovf)= " + digest_of<Sha256>(ovf).hex() +
               "\nSHA1 (disk.vmdk) =" + digest_of<Sha1>(disk).hex() + "\n";
    return *this;
  }
  operator std::string() const { return packed(); }
  std::string packed() const {
    auto const listed = manifest.empty() ? "" : tar_member("box.mf", manifest);
    return tar_member("box.ovf", ovf) + listed + tar_member("disk.vmdk", disk) + end_of_tar();
  }
};

}  // namespace imageswarm::test
