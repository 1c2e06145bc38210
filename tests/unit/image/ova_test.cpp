#include "common/image/ova.hpp"

#include <catch2/catch.hpp>

#include "common/base/text.hpp"
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

TEST_CASE("a manifest may use any of its digests", "[image][ova]") {
  auto const sha512 = "SHA512(box.ovf)=" + digest_of<Sha512>(Ova{}.ovf).hex() +
                      "\r\nSHA512( disk.vmdk ) = " + digest_of<Sha512>(Ova{}.disk).hex() + "\r\n";
  CHECK(judge(Ova{.manifest = sha512}.packed()));
}

TEST_CASE("other files of an appliance may be images that are accepted", "[image][ova]") {
  auto const two = Ova{}.in_ovf("</References>", "<File o:id='file2' o:href='boot.iso'/></References>").ovf;
  CHECK(judge(tar_member("box.ovf", two) + disk + tar_member("boot.iso", Iso{}.content()) + end_of_tar()));
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

TEST_CASE("what an appliance says cannot spoil the line that refuses it", "[image][ova]") {
  for (auto const& id : {std::string(3000, 'x'), "d&#10;end&#10;"s, "d&#27;[31m"s}) {
    auto const child = Ova{}.in_ovf("o:diskId=\"disk1\"", "o:parentRef='p' o:diskId=\"" + id + "\"").packed();
    auto const refused = unpack_all(child, document::Compression::none, child.size(), "vmdk", "ova").result;
    REQUIRE(word_of(refused) == "image-backing-file");
    CHECK(refused.error().what.size() < 300);
    CHECK_THAT(refused.error().what, Catch::Contains("with a parent"));
    CHECK(word_of(judge(child)) == "image-backing-file");
    CHECK(judge(child).error().what == printable(judge(child).error().what, 300));
  }
}

TEST_CASE("one attribute under two prefixes of one namespace is refused", "[image][ova]") {
  auto const with = [](std::string const& bindings) {
    return word_of(judge(Ova{}.in_ovf("o:size=", bindings + " ovf:href='other.vmdk' o:size=").packed()));
  };
  CHECK(with("xmlns:ovf='http://schemas.dmtf.org/ovf/envelope/1'") == "image-ovf");
  CHECK(with("xmlns:ovf='http://schemas.dmtf.org/ovf/envelope/2'") == "image-ovf");  // both mean the same to us
  CHECK(with("xmlns:ovf='http://vendor.example.org/'") == "");
  CHECK(judge(Ova{}.in_ovf("o:size=", "xmlns:q='x' q='x' href='other.vmdk' o:size=").packed()));  // without a prefix:
                                                                                                  // no namespace
}
