#include "daemon/appliance/derive.hpp"

#include <catch2/catch.hpp>

#include "common/base/file.hpp"
#include "tests/support/appliances.hpp"
#include "tests/support/sample_want.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace imageswarm;
using namespace imageswarm::test;

namespace {

void ignore(ByteCount) {}

}  // namespace

TEST_CASE("what was made of an image is one of its own, in the family of all that was made of it", "[appliance]") {
  auto source = sample_want();
  source.image.ovf_properties = {{"hostname", "x"}};
  source.image.torrent.chunks = {ByteCount{1_MiB}, 2};
  appliance::Made const made{{.disk_format = "vmdk", .container_format = "ova", .virtual_size = {10}},
                             {5},
                             digest_of<Sha256>("made"),
                             digest_of<Sha512>("made")};
  auto const want = appliance::derived_want(source, "grid-node", made);
  CHECK(want.derived_from == source.image.image_id);
  CHECK(want.image.image_id == Uuid::named(source.image.image_id, digest_of<Sha256>("made").hex()));
  CHECK(want.image.name == "grid-node");
  CHECK(want.image.container_format == "ova");
  CHECK(want.image.torrent.content_sha256 == made.sha256);
  CHECK(want.image.ovf_properties.empty());
  CHECK(want.provenance.endorser == source.provenance.endorser);
  // It can be written down and read as every image can.
  auto const back = document::image_from(document::to_value(want.image));
  REQUIRE(back);
  CHECK(back->image_id == want.image.image_id);
  CHECK_FALSE(back->torrent.chunks);
}

TEST_CASE("an appliance is written to a file, with the digests of what is there", "[appliance]") {
  TemporaryDirectory folder;
  auto const archive = Ova{}.with_manifest().packed();
  REQUIRE(write_file_atomically(folder / "box.ova", archive));
  auto image = sample_want().image;
  image.disk_format = "vmdk";
  image.container_format = "ova";
  image.content_size = image.torrent.content_size = {archive.size()};
  image.torrent.content_sha256 = digest_of<Sha256>(archive);
  image.torrent.compression = document::Compression::none;
  image.torrent.chunks.reset();
  auto const artefact = flow::verify_artefact(folder / "box.ova", image, {});
  REQUIRE(artefact);
  auto const file = folder / "new/.made.tmp";
  for (auto const* const name : {"first", "again, over what a crash left"}) {
    INFO(name);
    auto const made = appliance::derive(
        *artefact, {.form = {}, .endorsed = {}, .site = {{"hostname", "n"}}, .files = {}}, file, ignore, {});
    REQUIRE(made);
    auto const content = read_file(file, 10_MiB);
    REQUIRE(content);
    CHECK(made->size.value == content->size());
    CHECK(made->sha256 == digest_of<Sha256>(*content));
    CHECK(made->sha512 == digest_of<Sha512>(*content));
  }
}
