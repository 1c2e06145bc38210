#include "common/image/ova_derivation.hpp"

#include <catch2/catch.hpp>

#include "common/base/digest.hpp"
#include "common/image/compress.hpp"
#include "tests/support/appliances.hpp"
#include "tests/unit/image/builders.hpp"

using namespace imageswarm;
using namespace imageswarm::image;
using namespace imageswarm::image::test;
using namespace imageswarm::test;
using Catch::Matchers::Contains;

namespace {

OvaOrder sample_order() {
  return {.form = OvaOrder::Form::ova,
          .endorsed = {{"secret", "s3cret"}},
          .site = {{"hostname", "wn18"}},
          .files = {{"install/setup.sh", "#!/bin/sh\n"}, {"reset/stop", "x"}}};
}

struct Made {
  Result<Inspection> result;
  std::string content;
};

ContentSink into(std::string& content) {
  return [&content](std::span<std::byte const> piece) -> Result<> {
    content.append(reinterpret_cast<char const*>(piece.data()), piece.size());
    return {};
  };
}

/// In this process.
Made make(std::string const& appliance, OvaOrder const& order) {
  MemoryContent content{appliance};
  auto const derivation = OvaDerivation::prepare(content, order);
  if (!derivation) return {fail(derivation.error()), {}};
  Made made{derivation->result(), {}};
  REQUIRE(derivation->write(into(made.content)));
  return made;
}

/// In the helper.
Made derive_in_helper(std::string_view artefact, document::Compression compression, std::size_t content_size,
                      OvaOrder const& order, std::string container = "ova") {
  Made made{fail(Fault::internal, "nothing yet"), {}};
  made.result = derive(file_of(artefact), {compression, {content_size}, "vmdk", std::move(container)}, order,
                       into(made.content), std::stop_token{});
  return made;
}

std::string text_of(std::string const& archive, Member const& member) {
  return archive.substr(member.offset, member.size);
}

}  // namespace

TEST_CASE("an appliance made of another is sound, with the values and files of the order", "[image][ova]") {
  auto const made = make(Ova{}.packed(), sample_order());
  REQUIRE(word_of(made.result) == "");
  MemoryContent content{made.content};
  auto const appliance = read_ova(content);
  REQUIRE(word_of(appliance) == "");
  CHECK(appliance->properties[0].value == "wn18");
  CHECK(appliance->properties[1].value == "s3cret");
  REQUIRE(appliance->files.size() == 3);
  CHECK(appliance->files[0].name == "install/setup.sh");
  CHECK(text_of(made.content, appliance->files[0]) == "#!/bin/sh\n");
  CHECK(appliance->files[1].name == "reset/stop");
  CHECK((text_of(made.content, appliance->files[2]) == Ova{}.disk));
  REQUIRE(appliance->manifest);
  CHECK(appliance->manifest->name == "box.mf");
  CHECK_THAT(text_of(made.content, *appliance->manifest),
             Contains("SHA256(disk.vmdk)= " + digest_of<Sha256>(Ova{}.disk).hex()));
  CHECK(made.result->container_format == "ova");
  CHECK(made.result->virtual_size.value == Vmdk::disk_size);
}

TEST_CASE("the same order makes the same bytes, another makes others", "[image][ova]") {
  auto order = sample_order();
  auto const first = make(Ova{}.packed(), order).content;
  CHECK((first == make(Ova{}.packed(), order).content));
  order.site["hostname"] = "wn19";
  CHECK((first != make(Ova{}.packed(), order).content));
}

TEST_CASE("the new manifest keeps the hash function of the old one; its certificate goes", "[image][ova]") {
  auto ova = Ova{};
  ova.manifest = "SHA1(box.ovf)= " + digest_of<Sha1>(ova.ovf).hex() +
                 "\nSHA1(disk.vmdk)= " + digest_of<Sha1>(ova.disk).hex() + "\n";
  auto const archive = tar_member("box.ovf", ova.ovf) + tar_member("other.mf", ova.manifest) +
                       tar_member("other.cert", "x") + tar_member("disk.vmdk", ova.disk) + end_of_tar();
  auto const made = make(archive, sample_order());
  MemoryContent content{made.content};
  auto const appliance = read_ova(content);
  REQUIRE(word_of(appliance) == "");
  CHECK(appliance->digest_algorithm == "SHA1");
  CHECK(appliance->manifest->name == "other.mf");
  CHECK_FALSE(appliance->certificate);
}

TEST_CASE("the disk of an appliance can be taken out of it", "[image][ova]") {
  auto order = sample_order();
  order.form = OvaOrder::Form::disk;
  auto const made = make(Ova{}.packed(), order);
  REQUIRE(word_of(made.result) == "");
  CHECK((made.content == Ova{}.disk));
  CHECK(made.result->container_format == "bare");
  CHECK(made.result->disk_format == "vmdk");
  order.site["nobody"] = "x";
  CHECK(word_of(make(Ova{}.packed(), order).result) == "image-ovf");
}

TEST_CASE("one disk cannot stand for several", "[image][ova]") {
  auto const second = "</References>";
  auto ova = Ova{}
                 .in_ovf(second, "<File o:id='f2' o:href='two.vmdk'/></References>")
                 .in_ovf("</DiskSection>",
                         "<Disk o:diskId='d2' o:fileRef='f2' o:capacity='10' o:capacityAllocationUnits='byte * 2^20'"
                         " o:format='http://www.vmware.com/interfaces/specifications/vmdk.html'/></DiskSection>");
  auto const archive = tar_member("box.ovf", ova.ovf) + tar_member("disk.vmdk", ova.disk) +
                       tar_member("two.vmdk", ova.disk) + end_of_tar();
  auto order = sample_order();
  CHECK(word_of(make(archive, order).result) == "");
  order.form = OvaOrder::Form::disk;
  CHECK(word_of(make(archive, order).result) == "image-ovf");
}

TEST_CASE("the helper makes the same appliance, packed or not", "[image][ova]") {
  auto const appliance = Ova{}.with_manifest().packed();
  auto const expected = make(appliance, sample_order()).content;
  for (auto const compression : {document::Compression::none, document::Compression::zstd}) {
    auto const artefact = compression == document::Compression::none ? appliance : compressed(compression, appliance);
    auto const made = derive_in_helper(artefact, compression, appliance.size(), sample_order());
    REQUIRE(word_of(made.result) == "");
    CHECK((made.content == expected));
    CHECK(made.result->container_format == "ova");
  }
}

TEST_CASE("the helper reads an appliance that is not one file", "[image][ova]") {
  auto const appliance = Ova{}.packed();
  auto const read = [&appliance](std::uint64_t offset, std::span<std::byte> out, std::stop_token const&) -> Result<> {
    std::ranges::copy(bytes(appliance).subspan(offset, out.size()), out.begin());
    return {};
  };
  std::string content;
  auto const result = derive(read, {appliance.size()}, {document::Compression::none, {appliance.size()}, "vmdk", "ova"},
                             sample_order(), into(content), std::stop_token{});
  REQUIRE(word_of(result) == "");
  CHECK((content == make(appliance, sample_order()).content));
}

TEST_CASE("nothing is made of a hostile appliance, nor of what is none", "[image][ova]") {
  auto const refused = [](std::string const& artefact, std::string container = "ova") {
    auto const made =
        derive_in_helper(artefact, document::Compression::none, artefact.size(), sample_order(), std::move(container));
    CHECK(made.content.empty());
    return word_of(made.result);
  };
  CHECK(refused(Ova{}.in_ovf("<Envelope", "<!DOCTYPE x [<!ENTITY a 'b'>]><Envelope").packed()) == "image-ovf");
  CHECK(refused(Ova{.manifest = "SHA256(box.ovf)= 00\nSHA256(disk.vmdk)= 00\n"}.packed()) == "image-manifest");
  CHECK(refused(Ova{.disk = Qcow2{}.content()}.packed()) != "");
  CHECK(refused(raw_disk(4096)) == "image-archive");
  CHECK(refused(Ova{}.packed(), "bare") == "image-format-mismatch");
}

TEST_CASE("an order arrives as it was given", "[image][ova]") {
  auto order = sample_order();
  order.form = OvaOrder::Form::disk;
  order.files.push_back({"config/odd", std::string{"a\0\n1 2 3", 8}});
  auto const back = read_order(write_order(order));
  REQUIRE(back);
  CHECK(write_order(*back) == write_order(order));
  CHECK(back->files.at(2).content == order.files.at(2).content);
  for (auto const* const text :
       {"form", "form 3 0\nod", "else 1 0\nx", "form 3 0\nxxx", "file 1 99\nx", "file -1 0\n"}) {
    CHECK(word_of(read_order(text)) == "internal");
  }
}

TEST_CASE("an appliance may hold files in the folders that hosts add, and in no others", "[image][ova]") {
  auto const with = [](std::string const& name) {
    auto const ovf = Ova{}.in_ovf("</References>", "<File o:id='f2' o:href='" + name + "'/></References>").ovf;
    MemoryContent content{tar_member("box.ovf", ovf) + tar_member("disk.vmdk", Ova{}.disk) + tar_member(name, "text") +
                          end_of_tar()};
    return word_of(read_ova(content));
  };
  CHECK(with("install/a") == "");
  CHECK(with("config/a.sh") == "");
  CHECK(with("reset/a") == "");
  for (auto const* const name : {"other/a", "install/", "install/../a", "install/a/b", "install//a", "/install/a",
                                 "install/.a", "Install/a", "./install/a"}) {
    INFO(name);
    CHECK(with(name) == "image-archive");
  }
}
