#include "common/image/ova.hpp"

#include <catch2/catch.hpp>

#include "common/image/formats.hpp"
#include "tests/support/appliances.hpp"
#include "tests/unit/image/builders.hpp"

using namespace imageswarm;
using namespace imageswarm::image;
using namespace imageswarm::image::test;
using namespace imageswarm::test;
using namespace std::string_literals;

namespace {

Result<Inspection> judge(std::string const& archive) {
  MemoryContent content{archive};
  return image::judge(content);
}

std::string const ovf = tar_member("box.ovf", Ova{}.ovf);
std::string const disk = tar_member("disk.vmdk", Ova{}.disk);

}  // namespace

TEST_CASE("a sound appliance is read in place", "[image][ova]") {
  auto const archive = Ova{}.with_manifest().packed();
  MemoryContent content{archive};
  auto const appliance = read_ova(content);
  REQUIRE(word_of(appliance) == "");
  CHECK(appliance->ovf.name == "box.ovf");
  CHECK(archive.substr(appliance->ovf.offset, appliance->ovf.size) == Ova{}.ovf);
  CHECK(appliance->manifest);
  CHECK_FALSE(appliance->certificate);
  REQUIRE(appliance->disks.size() == 1);
  auto const& [member, inspection] = appliance->disks[0];
  CHECK(member.name == "disk.vmdk");
  CHECK((archive.substr(member.offset, member.size) == Ova{}.disk));
  CHECK(inspection.disk_format == "vmdk");
  CHECK(inspection.virtual_size.value == Vmdk::disk_size);
  REQUIRE(appliance->products.size() == 1);
  CHECK(appliance->products[0].vendor == "Example");
  REQUIRE(appliance->properties.size() == 2);
  auto const& property = appliance->properties[0];
  CHECK(property.class_name + "." + property.key + "." + property.instance == "net.hostname.a");
  CHECK(property.value == "wn17");
  CHECK(property.user_configurable);
  CHECK_FALSE(property.password);
  CHECK(appliance->properties[1].type == "string");
  CHECK(appliance->properties[1].password);
}

TEST_CASE("Glance is told the format of an appliance's disk and that it is an OVA", "[image][ova]") {
  auto const found = judge(Ova{}.packed());
  REQUIRE(word_of(found) == "");
  CHECK(found->disk_format == "vmdk");
  CHECK(found->container_format == "ova");
  CHECK(found->virtual_size.value == Vmdk::disk_size);
}

TEST_CASE("what is harmless in an appliance is accepted", "[image][ova]") {
  auto version_2 = Ova{}.ovf;
  for (std::string::size_type at; (at = version_2.find("envelope/1")) != version_2.npos;) version_2[at + 9] = '2';
  CHECK(judge(Ova{.ovf = version_2}.packed()));
  CHECK(judge(Ova{}.in_ovf(" o:size=\"131072\"", "").packed()));
  CHECK(judge(Ova{}.in_ovf("byte * 2^20", "byte*2^30").packed()));  // smaller than its capacity
  CHECK(judge(Ova{}.in_ovf("<DiskSection>", "<!-- x --><DiskSection>").packed()));
  CHECK(judge(Ova{}.in_ovf("</DiskSection>", "<Disk o:diskId='d2' o:capacity='9'/></DiskSection>").packed()));
  CHECK(judge(ovf + disk + std::string(20 * 512, '\0')));  // filled up to a record
  CHECK(judge(ovf + disk + tar_member("box.mf", Ova{}.with_manifest().manifest) + tar_member("box.cert", "x") +
              end_of_tar()));
  auto const qcow2 = Qcow2{}.content();
  auto const text = Ova{}
                        .in_ovf("vmdk.html#streamOptimized", "qcow2")
                        .in_ovf("131072", std::to_string(qcow2.size()))
                        .in_ovf("2^20", "2^30")
                        .ovf;
  auto const found = judge(Ova{.disk = qcow2, .ovf = text}.packed());
  REQUIRE(word_of(found) == "");
  CHECK(found->disk_format == "qcow2");
}

TEST_CASE("an archive that is not plainly what its OVF names is refused", "[image][ova]") {
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
  struct {
    std::string name, archive, expected;
  } const attacks[] = {
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
  for (auto const& attack : attacks) {
    INFO(attack.name);
    CHECK(word_of(judge(attack.archive)) == attack.expected);
  }
}

TEST_CASE("an OVF that is malformed or names what is not there is refused", "[image][ova]") {
  auto const attribute = [](std::string const& element, std::string const& text) {
    return Ova{}.in_ovf("<" + element + " ", "<" + element + " " + text + " ");
  };
  std::string deep, wide;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  for (int i = 0; i < 100; ++i) deep += "</a>";
  for (int i = 0; i < 100; ++i) wide += "a" + std::to_string(i) + "='' ";
  struct {
    std::string name;
    Ova ova;
    std::string expected;
  } const attacks[] = {
      {"no XML", Ova{.ovf = "disk = disk.vmdk"}, "image-ovf"},
      {"cut off", Ova{}.in_ovf("</Envelope>", ""), "image-ovf"},
      {"not UTF-8", Ova{}.in_ovf("A machine", "A \xff machine"), "image-ovf"},
      {"said to be UTF-16", Ova{}.in_ovf("UTF-8", "UTF-16"), "image-ovf"},
      {"DTD", Ova{}.in_ovf("<Envelope", "<!DOCTYPE x><Envelope"), "image-ovf"},
      {"external entity",
       Ova{}.in_ovf("<Envelope", "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/shadow\">]><Envelope"), "image-ovf"},
      {"nested too deeply", Ova{}.in_ovf("A machine", deep), "image-ovf"},
      {"too many attributes", attribute("Disk", wide), "image-ovf"},
      {"attribute twice", attribute("File", "o:href='other'"), "image-ovf"},
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
  for (auto const& attack : attacks) {
    INFO(attack.name);
    CHECK(word_of(judge(attack.ova.packed())) == attack.expected);
  }
  auto const same_id = Ova{}.in_ovf("</References>", "<File o:id='file1' o:href='x'/></References>").ovf;
  CHECK(word_of(judge(tar_member("box.ovf", same_id) + disk + tar_member("x", "x") + end_of_tar())) == "image-ovf");
}

TEST_CASE("the files of an appliance are judged like images", "[image][ova]") {
  auto const with = [](std::string content) {
    auto const size = std::to_string(content.size());
    return judge(Ova{.disk = std::move(content)}.in_ovf("131072", size).packed());
  };
  CHECK(word_of(with(Vmdk{Vmdk::Kind::stream}.describe("ffffffff", "12345678").content())) == "image-backing-file");
  CHECK(word_of(with(Vmdk{Vmdk::Kind::stream}.u32(Vmdk::table + 4, 1).content())) == "image-table");
  CHECK(word_of(with(Qcow2{}.u64(8, 512).content())) == "image-backing-file");
  CHECK(word_of(with("# Disk DescriptorFile\nversion=1\nRW 8 FLAT \"/etc/shadow\" 0\n")) == "image-format-unsupported");
  CHECK(word_of(with(Ova{}.packed())) == "image-format-unsupported");
  CHECK(word_of(with(raw_disk(4096))) == "image-format-mismatch");  // its OVF says VMDK
  CHECK(word_of(with("")) == "image-virtual-size");
  auto const with_footer = Vmdk{Vmdk::Kind::stream}.resize(257 * 512).text(256 * 512, "conectix").content();
  CHECK(word_of(with(with_footer)) == "image-format-unsupported");

  auto const text = Ova{}.in_ovf("</References>", "<File o:id='file2' o:href='boot.iso'/></References>").ovf;
  auto const beside = [&](std::string const& content) {
    return judge(tar_member("box.ovf", text) + disk + tar_member("boot.iso", content) + end_of_tar());
  };
  CHECK(beside(Iso{}.content()));
  CHECK(word_of(beside(Qcow2{}.u64(8, 512).content())) == "image-backing-file");
}

TEST_CASE("a manifest that does not fit the files of an appliance is refused", "[image][ova]") {
  auto const sha512 = "SHA512(box.ovf)=" + digest_of<Sha512>(Ova{}.ovf).hex() +
                      "\r\nSHA512( disk.vmdk ) = " + digest_of<Sha512>(Ova{}.disk).hex() + "\r\n";
  CHECK(judge(Ova{.manifest = sha512}.packed()));
  auto const good = Ova{}.with_manifest().manifest;
  auto const changed = [&](std::string_view from, std::string_view to) {
    return Ova{.manifest = std::string{good}.replace(good.find(from), from.size(), to)}.packed();
  };
  struct {
    std::string name, archive;
  } const attacks[] = {
      {"another OVF", Ova{}.with_manifest().in_ovf("wn17", "wn18").packed()},
      {"another disk", changed("SHA1 (disk.vmdk) =", "SHA1 (disk.vmdk) = 0")},
      {"a file that is not there", changed("disk.vmdk", "other.vmdk")},
      {"a file twice", changed("SHA1 (disk.vmdk)", "SHA256(box.ovf)= 00\nSHA1 (disk.vmdk)")},
      {"a file less", Ova{.manifest = good.substr(0, good.find("SHA1"))}.packed()},
      {"itself", changed("SHA1 (disk.vmdk)", "SHA1(box.mf)= 00\nSHA1 (disk.vmdk)")},
      {"MD5", changed("SHA1", "MD5")},
      {"no digest", changed(") =", ")")},
      {"no brackets", changed("SHA256(box.ovf)", "SHA256 box.ovf")},
      {"text", Ova{.manifest = "hello"}.packed()},
  };
  for (auto const& attack : attacks) {
    INFO(attack.name);
    CHECK(word_of(judge(attack.archive)) == "image-manifest");
  }
  CHECK(word_of(judge(Ova{.manifest = std::string(70000, '\n')}.packed())) == "image-archive");
}

TEST_CASE("an appliance is judged in the sandbox, packed or not", "[image][ova]") {
  auto const good = Ova{}.with_manifest().packed();
  auto const bad = Ova{}.with_manifest().in_ovf("wn17", "wn18").packed();
  for (auto const packing : {document::Compression::none, document::Compression::gzip, document::Compression::xz}) {
    auto const accepted = unpack_all(compressed(packing, good), packing, good.size(), "vmdk", "ova");
    CHECK(word_of(accepted.result) == "");
    CHECK((accepted.content == good));
    auto const refused = unpack_all(compressed(packing, bad), packing, bad.size(), "vmdk", "ova");
    CHECK(word_of(refused.result) == "image-manifest");
    CHECK(refused.content.empty());
    CHECK(word_of(unpack_all(compressed(packing, good), packing, good.size(), "vmdk").result) ==
          "image-format-mismatch");
  }
}
