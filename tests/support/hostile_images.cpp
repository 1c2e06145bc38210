#include "tests/support/hostile_images.hpp"

#include "tests/support/appliances.hpp"
#include "tests/support/disks.hpp"

namespace imageswarm::test {
namespace {

using namespace std::string_literals;

constexpr auto footed = Vmdk::Kind::stream_with_footer;
constexpr std::size_t at = Vmdk::footer;

std::string const ovf = tar_member("box.ovf", Ova{}.ovf);
std::string const disk = tar_member("disk.vmdk", Ova{}.disk);

std::vector<HostileImage> vmdk_headers() {
  return {
      {"version 0", Vmdk{}.u32(4, 0), "image-header"},
      {"version 4", Vmdk{}.u32(4, 4), "image-header"},
      {"line ends changed by a transfer as text", Vmdk{}.text(73, "\n \n\n"), "image-header"},
      {"something after the header", Vmdk{}.text(511, "x"), "image-header"},
      {"tables of another size", Vmdk{}.u32(44, 511), "image-header"},
      {"tables of no entries", Vmdk{}.u32(44, 0), "image-header"},
      {"grains of no size", Vmdk{}.u64(20, 0), "image-header"},
      {"grains of 96 KiB", Vmdk{}.u64(20, 192), "image-header"},
      {"grains too small", Vmdk{}.u64(20, 4), "image-header"},
      {"grains too large", Vmdk{}.u64(20, 1ull << 32), "image-header"},
      {"unknown flag", Vmdk{}.u32(8, 0x40003), "image-feature"},
      {"packed without an algorithm", Vmdk{}.u32(8, 0x10003), "image-feature"},
      {"an algorithm without being packed", Vmdk{}.little(77, 1, 2), "image-feature"},
      {"unknown algorithm", Vmdk{Vmdk::Kind::stream}.little(77, 2, 2), "image-feature"},
      {"not closed", Vmdk{}.text(72, "\1"), "image-corrupt"},
      {"no sectors: qemu takes it for a list of files", Vmdk{}.u64(12, 0), "image-virtual-size"},
      {"more sectors than allowed", Vmdk{}.u64(12, (64ull << 40) / 512 + 1), "image-virtual-size"},
      {"sectors of all bits", Vmdk{}.u64(12, UINT64_MAX), "image-virtual-size"},
      {"descriptor elsewhere", Vmdk{}.u64(28, 2), "image-descriptor"},
      {"no descriptor", Vmdk{}.u64(28, 0).u64(36, 0), "image-descriptor"},
      {"huge descriptor", Vmdk{}.u64(36, 2048), "image-descriptor"},
      {"descriptor beyond the file", Vmdk{}.u64(36, 2000), "image-truncated"},
      {"another size in the descriptor", Vmdk{}.describe("20480", "20481"), "image-extent"},
      {"another type in the descriptor", Vmdk{}.describe("monolithicSparse", "streamOptimized"), "image-descriptor"},
      {"directory outside", Vmdk{}.u64(56, 256), "image-table"},
      {"directory that wraps around", Vmdk{}.u64(56, UINT64_MAX - 1), "image-table"},
      {"directory over the header", Vmdk{}.u64(56, 0), "image-table"},
      {"directory over the descriptor", Vmdk{}.u64(56, 20), "image-table"},
      {"directories over each other", Vmdk{}.u64(48, 26), "image-table"},
      {"second directory outside", Vmdk{}.u64(48, 1000), "image-table"},
      {"directory that ends outside", Vmdk{}.u64(12, 1ull << 33).describe("20480", "8589934592").u64(56, 255),
       "image-table"},
      {"table outside", Vmdk{}.u32(Vmdk::directory, 253), "image-table"},
      {"table over the descriptor", Vmdk{}.u32(Vmdk::directory, 1), "image-table"},
      {"second table over the descriptor", Vmdk{}.u32(Vmdk::second_directory, 1), "image-table"},
      {"tables over each other", Vmdk{}.u32(Vmdk::directory, 25), "image-table"},
      {"grain outside", Vmdk{}.u32(Vmdk::table + 4, 129), "image-table"},
      {"grain of all bits", Vmdk{}.u32(Vmdk::table + 4, UINT32_MAX), "image-table"},
      {"grain over the descriptor", Vmdk{}.u32(Vmdk::table + 4, 1), "image-table"},
      {"grain over a table", Vmdk{}.u32(Vmdk::table + 2044, 30), "image-table"},
      {"grain that runs into a table", Vmdk{}.u32(Vmdk::second_table, 20), "image-table"},
      {"packed grain outside", Vmdk{Vmdk::Kind::stream}.u32(Vmdk::table + 4, 256), "image-table"},
      {"footer of another version", Vmdk{footed}.u32(at + 4, 2), "image-header"},
      {"footer with other flags", Vmdk{footed}.u32(at + 8, 3), "image-header"},
      {"footer of another disk", Vmdk{footed}.u64(at + 12, 0), "image-header"},
      {"footer with another descriptor", Vmdk{footed}.u64(at + 28, 100), "image-header"},
      {"footer with something after it", Vmdk{footed}.text(at + 511, "x"), "image-header"},
      {"footer without its marker", Vmdk{footed}.u32(at - 512 + 12, 2), "image-header"},
      {"footer without the end", Vmdk{footed}.u32(at + 512 + 12, 1), "image-header"},
      {"footer that promises another", Vmdk{footed}.u64(at + 56, UINT64_MAX), "image-table"},
      {"footer that names itself as directory", Vmdk{footed}.u64(at + 56, at / 512), "image-table"},
      {"packed grain in the footer", Vmdk{footed}.u32(Vmdk::table + 4, at / 512), "image-table"},
      {"no footer", Vmdk{Vmdk::Kind::stream}.u64(56, UINT64_MAX), "image-header"},
      {"part of a sector after the footer", Vmdk{footed}.resize(at + 1024 + 7), "image-truncated"},
  };
}

std::vector<HostileImage> vmdk_descriptors() {
  auto const added = [](std::string const& line) { return Vmdk{}.describe("\n\n", "\n" + line + "\n"); };
  return {
      {"a parent", Vmdk{}.describe("ffffffff", "12345678"), "image-backing-file"},
      {"a parent's name", added("parentFileNameHint=\"/etc/shadow\""), "image-backing-file"},
      {"a parent's name in a comment, where qemu finds it", added("# parentFileNameHint=\"/etc/shadow\""),
       "image-backing-file"},
      {"a parent's name in a value", added("ddb.uuid = \"parentFileNameHint\""), "image-backing-file"},
      {"a second extent", added("RW 8 SPARSE \"other.vmdk\""), "image-extent"},
      {"a flat extent", Vmdk{}.describe("SPARSE", "FLAT"), "image-extent"},
      {"an extent with an offset", Vmdk{}.describe("disk.vmdk\"", "disk.vmdk\" 0"), "image-extent"},
      {"an extent elsewhere", Vmdk{}.describe("disk.vmdk", "/etc/shadow"), "image-extent"},
      {"an extent above", Vmdk{}.describe("disk.vmdk", "..\\\\disk.vmdk"), "image-extent"},
      {"an extent without a name", Vmdk{}.describe("disk.vmdk", ""), "image-extent"},
      {"an extent with two names", Vmdk{}.describe("disk.vmdk", "a\" \"b"), "image-extent"},
      {"an extent of no size", Vmdk{}.describe("20480", "0"), "image-extent"},
      {"an extent of negative size", Vmdk{}.describe("20480", "-1"), "image-extent"},
      {"no extent", Vmdk{}.describe("RW 20480 SPARSE \"disk.vmdk\"", ""), "image-extent"},
      {"a device", Vmdk{}.describe("RW 20480 SPARSE \"disk.vmdk\"", "RW 20480 VMFSRDM \"sda\""), "image-extent"},
      {"access that nobody knows", Vmdk{}.describe("RW 20480", "NOACCESS 20480"), "image-descriptor"},
      {"tracking of changes in another file", added("changeTrackPath=\"/tmp/x\""), "image-descriptor"},
      {"an unknown entry of the data base", added("ddb.nativeParentHint = \"x\""), "image-descriptor"},
      {"an unknown comment", added("# CID=0"), "image-descriptor"},
      {"a word", added("hello"), "image-descriptor"},
      {"flat all in one", Vmdk{}.describe("monolithicSparse", "monolithicFlat"), "image-descriptor"},
      {"the type twice", added("createType=\"monolithicSparse\""), "image-descriptor"},
      {"the type without quotes", Vmdk{}.describe("\"monolithicSparse\"", "monolithicSparse"), "image-descriptor"},
      {"no CID", Vmdk{}.describe("CID=b227fbf6", ""), "image-descriptor"},
      {"no parent CID", Vmdk{}.describe("parentCID=ffffffff", ""), "image-descriptor"},
      {"another version", Vmdk{}.describe("version=1", "version=9"), "image-descriptor"},
      {"a snapshot", added("isNativeSnapshot=\"yes\""), "image-descriptor"},
      {"a value that goes on", added("ddb.uuid = \"1\" = \"2\""), "image-descriptor"},
      {"something behind the end", Vmdk{}.text(20 * 512, "RW 8 FLAT \"/etc/shadow\" 0\n"), "image-descriptor"},
      {"a descriptor without an end", Vmdk{}.descriptor(std::string(20 * 512, '\n')), "image-descriptor"},
  };
}

std::vector<HostileImage> isos() {
  return {
      {"hybrid with an MBR", Iso{}.text(510, "\x55\xaa"), "image-format-mismatch"},
      {"hybrid with a GPT", Iso{}.text(512, "EFI PART"), "image-format-mismatch"},
      {"hybrid with Apple's driver map", Iso{}.text(0, "ER\2\0"s), "image-format-mismatch"},
      {"hybrid with Apple's partition map", Iso{}.text(512, "PM\0\0"s), "image-format-mismatch"},
      {"hybrid with a qcow2", Iso{}.text(0, "QFI\xfb\0\0\0\3"s), "image-format-mismatch"},
      {"hybrid with a VMDK", Iso{}.text(0, "KDMV"), "image-format-mismatch"},
      {"hybrid with a tar", Iso{}.text(257, "ustar"), "image-format-mismatch"},
      {"no primary descriptor first", Iso{}.text(Iso::primary, "\2"), "image-header"},
      {"no terminator", Iso{}.text(Iso::terminator, "\0\0"s), "image-header"},
      {"more blocks than bytes", Iso{}.blocks(21), "image-truncated"},
      {"blocks that wrap around", Iso{}.blocks((1u << 21) + 1), "image-truncated"},
      {"another descriptor for ever", Iso{}.text(Iso::terminator, "\0"s), "image-header"},
      {"blocks of all bits", Iso{}.blocks(UINT32_MAX), "image-truncated"},
      {"no blocks", Iso{}.blocks(0), "image-header"},
      {"sizes that contradict each other", Iso{}.little(Iso::primary + 80, 19, 4), "image-header"},
      {"block sizes that contradict each other", Iso{}.little(Iso::primary + 128, 512, 2), "image-header"},
      {"another block size", Iso{}.little(Iso::primary + 128, 512, 2).big(Iso::primary + 130, 512, 2), "image-header"},
      {"cut off in its header", Iso{}.resize(Iso::terminator), "image-truncated"},
  };
}

std::vector<HostileImage> archives() {
  auto const odd = [](auto change) {
    TarHeader header{"disk.vmdk", Ova{}.disk.size()};
    change(header);
    return ovf + tar_member(header, Ova{}.disk) + end_of_tar();
  };
  auto const kind = [&](std::string const& type) { return odd([&](TarHeader& header) { header.text(156, type); }); };
  auto const named = [&](std::string const& name) { return ovf + tar_member(name, Ova{}.disk) + end_of_tar(); };
  auto const pax = tar_member(TarHeader{"x", 20}.text(156, "x"), "20 path=/etc/shadow\n");
  auto const longlink = tar_member(TarHeader{"././@LongLink", 12}.text(156, "L"), "/etc/shadow\0"s);
  auto wrong_sum = Ova{}.packed();
  wrong_sum[148] = '7';
  auto many = ovf;
  for (int i = 0; i < 70; ++i) many += tar_member("file" + std::to_string(i), "x");
  return {
      {"disk before the OVF", disk + ovf + end_of_tar(), "image-archive"},
      {"no OVF", disk + end_of_tar(), "image-archive"},
      {"two OVFs", ovf + tar_member("other.ovf", Ova{}.ovf) + disk + end_of_tar(), "image-archive"},
      {"a file twice", ovf + disk + disk + end_of_tar(), "image-archive"},
      {"a file twice, in capitals", ovf + disk + tar_member("DISK.vmdk", "x") + end_of_tar(), "image-archive"},
      {"two manifests", ovf + tar_member("a.mf", "x") + tar_member("b.mf", "x") + disk + end_of_tar(), "image-archive"},
      {"a file that the OVF does not name", ovf + disk + tar_member("x", "x") + end_of_tar(), "image-archive"},
      {"absolute name", named("/etc/shadow"), "image-archive"},
      {"name that climbs", named("../disk.vmdk"), "image-archive"},
      {"name in a folder", named("a/disk.vmdk"), "image-archive"},
      {"hidden name", named(".disk.vmdk"), "image-archive"},
      {"name like an option", named("-disk.vmdk"), "image-archive"},
      {"name with control characters", named("disk\n.vmdk"), "image-archive"},
      {"no name", named(""), "image-archive"},
      {"hard link", kind("1"), "image-archive"},
      {"symbolic link", kind("2"), "image-archive"},
      {"device", kind("3"), "image-archive"},
      {"folder", kind("5"), "image-archive"},
      {"fifo", kind("6"), "image-archive"},
      {"sparse file", kind("S"), "image-archive"},
      {"pax header that renames", ovf + pax + disk + end_of_tar(), "image-archive"},
      {"global pax header", tar_member(TarHeader{"g", 4}.text(156, "g"), "4 a=") + ovf + disk + end_of_tar(),
       "image-archive"},
      {"GNU long name", ovf + longlink + disk + end_of_tar(), "image-archive"},
      {"target of a link", odd([](TarHeader& header) { header.text(157, "/etc/shadow"); }), "image-archive"},
      {"first half of a name", odd([](TarHeader& header) { header.text(345, "/etc"); }), "image-archive"},
      {"size that is no number", odd([](TarHeader& header) { header.text(124, "99999999999"); }), "image-archive"},
      {"size of all bits", odd([](TarHeader& header) { header.text(124, "\x80" + std::string(11, '\xff')); }),
       "image-archive"},
      {"negative size", odd([](TarHeader& header) { header.text(124, std::string(12, '\xff')); }), "image-archive"},
      {"size beyond the end", odd([](TarHeader& header) { header.text(124, "77777777777"); }), "image-truncated"},
      {"wrong sum", wrong_sum, "image-archive"},
      {"no end", ovf + disk, "image-truncated"},
      {"half an end", ovf + disk + std::string(512, '\0'), "image-archive"},
      {"something after the end", ovf + disk + end_of_tar() + disk, "image-archive"},
      {"a mebibyte of zeros after the end", ovf + disk + std::string((1u << 20) + 512, '\0'), "image-archive"},
      {"too many files", many + end_of_tar(), "image-archive"},
      {"huge OVF", tar_member("box.ovf", Ova{}.ovf + std::string(1u << 20, '\n')) + disk + end_of_tar(),
       "image-archive"},
      {"two formats at once", "KDMV" + Ova{}.packed().substr(4), "image-format-mismatch"},
      {"old tar without a mark", odd([](TarHeader& header) { header.text(257, std::string(8, '\0')); }),
       "image-archive"},
  };
}

std::vector<HostileImage> ovfs() {
  auto const attribute = [](std::string const& element, std::string const& text) {
    return Ova{}.in_ovf("<" + element + " ", "<" + element + " " + text + " ");
  };
  std::string deep, wide;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  for (int i = 0; i < 100; ++i) deep += "</a>";
  for (int i = 0; i < 100; ++i) wide += "a" + std::to_string(i) + "='' ";
  return {
      {"no XML", Ova{.ovf = "disk = disk.vmdk"}, "image-ovf"},
      {"cut off", Ova{}.in_ovf("</Envelope>", ""), "image-ovf"},
      {"not UTF-8", Ova{}.in_ovf("A machine", "A \xff machine"), "image-ovf"},
      {"said to be UTF-16", Ova{}.in_ovf("UTF-8", "UTF-16"), "image-ovf"},
      {"DTD", Ova{}.in_ovf("<Envelope", "<!DOCTYPE x><Envelope"), "image-ovf"},
      {"external entity",
       Ova{}.in_ovf("<Envelope", "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/shadow\">]><Envelope"), "image-ovf"},
      {"nested too deeply", Ova{}.in_ovf("A machine", deep), "image-ovf"},
      {"too many attributes", attribute("Disk", wide), "image-ovf"},
      {"attribute twice", attribute("File", "o:href='disk.vmdk'"), "image-ovf"},
      {"another root", Ova{}.in_ovf("</Envelope>", "</Envelope><Envelope/>"), "image-ovf"},
      {"another vocabulary", Ova{}.in_ovf("xmlns=\"http://schemas.dmtf.org/ovf/envelope/1", "xmlns=\"urn:x"),
       "image-ovf"},
      {"references in another vocabulary", Ova{}.in_ovf("<References", "<References xmlns='urn:x'"), "image-archive"},
      {"href to another file", Ova{}.in_ovf("disk.vmdk", "/etc/shadow"), "image-ovf"},
      {"href to a URL", Ova{}.in_ovf("disk.vmdk", "https://example.org/disk.vmdk"), "image-ovf"},
      {"href to the OVF", Ova{}.in_ovf("disk.vmdk", "box.ovf"), "image-ovf"},
      {"file without id", Ova{}.in_ovf("o:id=\"file1\"", ""), "image-ovf"},
      {"file twice", Ova{}.in_ovf("</References>", "<File o:id='file2' o:href='disk.vmdk'/></References>"),
       "image-ovf"},
      {"packed file", attribute("File", "o:compression='gzip'"), "image-ovf"},
      {"file in pieces", attribute("File", "o:chunkSize='4096'"), "image-ovf"},
      {"file of another size", Ova{}.in_ovf("131072", "131071"), "image-ovf"},
      {"file of no size that is known", Ova{}.in_ovf("131072", "many"), "image-ovf"},
      {"disk without a file", Ova{}.in_ovf("fileRef=\"file1\"", "fileRef=\"file9\""), "image-ovf"},
      {"disk without a name", Ova{}.in_ovf("o:diskId=\"disk1\"", ""), "image-ovf"},
      {"no disk", Ova{}.in_ovf("o:fileRef=\"file1\"", ""), "image-ovf"},
      {"disk with a parent", attribute("Disk", "o:parentRef='disk0'"), "image-backing-file"},
      {"disk in unknown units", Ova{}.in_ovf("byte * 2^20", "MegaBytes"), "image-ovf"},
      {"disk in huge units", Ova{}.in_ovf("byte * 2^20", "byte * 2^64"), "image-ovf"},
      {"disk over the limit", Ova{}.in_ovf("capacity=\"10\"", "capacity=\"99999999\""), "image-ovf"},
      {"disk of a capacity to be asked for", Ova{}.in_ovf("capacity=\"10\"", "capacity=\"${size}\""), "image-ovf"},
      {"disk larger than its capacity", Ova{}.in_ovf("capacity=\"10\"", "capacity=\"9\""), "image-virtual-size"},
      {"disk of another format", Ova{}.in_ovf("vmdk.html", "qcow2"), "image-format-mismatch"},
      {"property without key", Ova{}.in_ovf("o:key=\"hostname\"", ""), "image-ovf"},
      {"property with a dotted key", Ova{}.in_ovf("hostname", "net.hostname"), "image-ovf"},
      {"property that is perhaps secret", Ova{}.in_ovf("password=\"true\"", "password=\"maybe\""), "image-ovf"},
  };
}

std::vector<HostileImage> manifests() {
  auto const good = Ova{}.with_manifest().manifest;
  auto const changed = [&](std::string_view from, std::string_view to) {
    return Ova{.manifest = std::string{good}.replace(good.find(from), from.size(), to)}.packed();
  };
  return {
      {"another OVF", Ova{}.with_manifest().in_ovf("wn17", "wn18").packed(), "image-manifest"},
      {"another disk", changed("SHA1 (disk.vmdk) =", "SHA1 (disk.vmdk) = 0"), "image-manifest"},
      {"a file that is not there", changed("disk.vmdk", "other.vmdk"), "image-manifest"},
      {"a file twice", changed("SHA1 (disk.vmdk)", "SHA256(box.ovf)= 00\nSHA1 (disk.vmdk)"), "image-manifest"},
      {"a file less", Ova{.manifest = good.substr(0, good.find("SHA1"))}.packed(), "image-manifest"},
      {"itself", changed("SHA1 (disk.vmdk)", "SHA1(box.mf)= 00\nSHA1 (disk.vmdk)"), "image-manifest"},
      {"MD5", changed("SHA1", "MD5"), "image-manifest"},
      {"no digest", changed(") =", ")"), "image-manifest"},
      {"no brackets", changed("SHA256(box.ovf)", "SHA256 box.ovf"), "image-manifest"},
      {"text", Ova{.manifest = "hello"}.packed(), "image-manifest"},
  };
}

std::vector<HostileImage> files_in_appliances() {
  auto const with = [](std::string const& content) {
    return Ova{.disk = content}.in_ovf("131072", std::to_string(content.size()));
  };
  auto const two = Ova{}.in_ovf("</References>", "<File o:id='file2' o:href='boot.iso'/></References>").ovf;
  auto const beside = [&two](std::string const& content) {
    return tar_member("box.ovf", two) + disk + tar_member("boot.iso", content) + end_of_tar();
  };
  using enum Vmdk::Kind;
  return {
      {"VMDK with a parent", with(Vmdk{stream}.describe("ffffffff", "12345678")), "image-backing-file"},
      {"VMDK with a grain over its descriptor", with(Vmdk{stream}.u32(Vmdk::table + 4, 1)), "image-table"},
      {"qcow2 with a backing file", with(Qcow2{}.u64(8, 512)), "image-backing-file"},
      {"text VMDK that names a host's file", with("# Disk DescriptorFile\nversion=1\nRW 8 FLAT \"/etc/shadow\" 0\n"),
       "image-format-unsupported"},
      {"appliance in the appliance", with(Ova{}), "image-format-unsupported"},
      {"raw where the OVF says VMDK", with(std::string(4096, 'x')), "image-format-mismatch"},
      {"nothing", with(""), "image-virtual-size"},
      {"VHD by its footer", with(Vmdk{stream}.resize(257 * 512).text(256 * 512, "conectix")),
       "image-format-unsupported"},
      {"VMDK cut off", with(Vmdk{stream}.resize(1024)), "image-truncated"},
      {"qcow2 with a backing file that no disk refers to", beside(Qcow2{}.u64(8, 512)), "image-backing-file"},
  };
}

/// What OpenStack's own inspector has overlooked at some time, and what is not worth rules of its own.
std::vector<HostileImage> others() {
  auto const disk_with = [](std::string_view mark, std::size_t offset) {
    std::string content(4u << 20, '\0');
    return content.replace(offset, mark.size(), mark);
  };
  auto const vhd = [&](char type) {  // in the header and in the footer: 2 fixed, 3 dynamic, 4 differencing
    return disk_with("conectix", 0).replace(60, 4, "\0\0\0"s + type);
  };
  auto const vdi = [&](char type) {  // 1 dynamic, 2 static, 4 difference
    return disk_with("\x7f\x10\xda\xbe\1\0\1\0\x90\1\0\0"s + type, 64);
  };
  return {
      {"VHD, fixed", disk_with("conectix", (4u << 20) - 512), "image-format-unsupported"},
      {"VHD, dynamic", vhd(3), "image-format-unsupported"},
      {"VHD, differencing", vhd(4), "image-format-unsupported"},
      {"VHDX", disk_with("vhdxfile", 0), "image-format-unsupported"},
      {"VHDX with a parent locator", disk_with("vhdxfile", 0).replace(3u << 20, 8, "metadata"),
       "image-format-unsupported"},
      {"VDI, dynamic", vdi(1), "image-format-unsupported"},
      {"VDI, difference", vdi(4), "image-format-unsupported"},
      {"QED with a backing file", disk_with("QED\0"s, 0).replace(16, 1, "\1"), "image-format-unsupported"},
      {"LUKS version 2", disk_with("LUKS\xba\xbe\0\2"s, 0), "image-format-unsupported"},
      {"UDF alone", disk_with("\0BEA01\1"s, 32768), "image-format-unsupported"},
      {"qcow2 and VHD by its footer", Qcow2{}.resize(1u << 20).text((1u << 20) - 512, "conectix"),
       "image-format-unsupported"},
      {"VMDK and VDI", Vmdk{}.text(64, "\x7f\x10\xda\xbe"), "image-format-mismatch"},
      {"VMDK and ISO", Vmdk{}.text(32769, "CD001"), "image-format-mismatch"},
      {"qcow2 and tar", Qcow2{}.text(257, "ustar"), "image-format-mismatch"},
      {"VMDK in two extents, the second above", Vmdk{}.describe("\n\n", "\nRW 8 SPARSE \"../other.vmdk\"\n"),
       "image-extent"},
      {"raw with a qcow2 a sector in: a guest's own affair", disk_with("QFI\xfb\0\0\0\3"s, 512), "accepted"},
      {"raw with a VMDK a block in", disk_with("KDMV\1\0\0\0"s, 4096), "accepted"},
      {"raw with an ISO at another place", disk_with("\1CD001\1", 34816), "accepted"},
      {"sparse zeros", std::string(16u << 20, '\0'), "accepted"},
      {"VMDK", Vmdk{}, "accepted"},
      {"VMDK, stream", Vmdk{Vmdk::Kind::stream}, "accepted"},
      {"VMDK, stream with a footer", Vmdk{footed}, "accepted"},
      {"ISO", Iso{}, "accepted"},
      {"appliance", Ova{}, "accepted"},
      {"appliance with a manifest", Ova{}.with_manifest(), "accepted"},
  };
}

}  // namespace

std::vector<HostileImage> hostile_images() {
  std::vector<HostileImage> all;
  auto const add = [&all](std::string const& kind, std::vector<HostileImage> images) {
    for (auto& image : images) {
      image.name = kind + ": " + image.name;
      all.push_back(std::move(image));
    }
  };
  add("VMDK", vmdk_headers());
  add("VMDK descriptor", vmdk_descriptors());
  add("ISO", isos());
  add("OVA", archives());
  add("OVF", ovfs());
  add("OVA manifest", manifests());
  add("file in an OVA", files_in_appliances());
  add("other", others());
  return all;
}

}  // namespace imageswarm::test
