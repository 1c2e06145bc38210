#include "indexer/ingest/ingest.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>

#include "indexer/ingest/temporary.hpp"
#include "tests/support/temporary_directory.hpp"

namespace imageswarm::ingest {
namespace {

Result<> go_on(ByteCount) {
  return {};
}

/// A content of some chunks and a bit, which compresses but not to nothing.
std::string content() {
  std::string text;
  for (int i = 0; text.size() < (5u << 20) + 4321; ++i) text += std::to_string(i * 7919) + "-image ";
  return text;
}

class Workshop {
public:
  UniqueFd image(std::string const& bytes) const {
    std::ofstream{directory_ / "image"} << bytes;
    return std::move(*open_regular(directory_ / "image"));
  }
  std::unique_ptr<Packer> packer(Recipe const& recipe) const {
    return std::move(*pack_file(recipe, directory_.path()));
  }
  std::unique_ptr<Packer> chunker(std::filesystem::path const& previous = {}) const {
    return std::move(*pack_chunks(1_MiB, directory_.path(), previous));
  }
  std::filesystem::path path(std::string const& name) const { return directory_ / name; }

private:
  test::TemporaryDirectory directory_;
};

TEST_CASE("one reading gives the digests of the content, the artefact and its torrent") {
  Workshop const workshop;
  auto const bytes = content();
  auto const image = workshop.image(bytes);
  auto const compression = GENERATE(document::Compression::none, document::Compression::zstd);
  auto const packer = workshop.packer({compression, torrent::Flavour::hybrid, 16_KiB, {}});
  auto const digests = ingest(image, *packer, go_on);
  REQUIRE(digests);
  CHECK(digests->content_size.value == bytes.size());
  CHECK(digests->content_sha256 == digest_of<Sha256>(bytes));
  CHECK(digests->content_sha512 == digest_of<Sha512>(bytes));

  REQUIRE(packer->move_to(workshop.path("done")));
  auto const packed = *read_file(workshop.path("done"), 64_MiB);
  CHECK(digests->artefact.size.value == packed.size());
  CHECK(digests->artefact.sha256 == digest_of<Sha256>(packed));
  CHECK((packed == bytes) == (compression == document::Compression::none));

  torrent::Builder builder{16_KiB, torrent::Flavour::hybrid};
  builder.update(std::as_bytes(std::span{packed}));
  auto const time = *parse_time("2026-01-02T03:04:05Z");
  CHECK(packer->make_torrent("done", time, {}, {})->bytes == builder.finish("done", time)->bytes);
}

/// Four chunks of 1 MiB and a short one; the second and the third are zeros.
std::string content_with_zeros() {
  auto text = content().substr(0, (4u << 20) + 777);
  std::fill_n(text.begin() + (1 << 20), 2u << 20, '\0');
  return text;
}

std::string concatenation(std::filesystem::path const& directory, std::uint32_t count) {
  std::string all;
  for (std::uint32_t i = 0; i < count; ++i) all += *read_file(directory / document::chunk_name(i), 64_MiB);
  return all;
}

TEST_CASE("a content becomes chunks, of which equal ones share their disk, and the same chunks every time") {
  Workshop const workshop;
  auto const bytes = content_with_zeros();
  auto const image = workshop.image(bytes);
  auto const packer = workshop.chunker();
  auto const digests = ingest(image, *packer, go_on);
  REQUIRE(digests);
  REQUIRE(packer->move_to(workshop.path("done")));
  CHECK(digests->content_sha256 == digest_of<Sha256>(bytes));
  CHECK(digests->content_sha512 == digest_of<Sha512>(bytes));
  auto const packed = concatenation(workshop.path("done"), 5);
  CHECK(digests->artefact.size.value == packed.size());
  CHECK(digests->artefact.sha256 == digest_of<Sha256>(packed));
  CHECK_FALSE(std::filesystem::exists(workshop.path("done/000005.zst")));
  CHECK(std::filesystem::equivalent(workshop.path("done/000001.zst"), workshop.path("done/000002.zst")));
  CHECK(std::filesystem::file_size(workshop.path("done/000001.zst")) < 200);

  auto const again = workshop.chunker();
  REQUIRE(ingest(image, *again, go_on));
  REQUIRE(again->move_to(workshop.path("again")));
  CHECK(concatenation(workshop.path("again"), 5) == packed);
  auto const time = *parse_time("2026-01-02T03:04:05Z");
  CHECK(packer->make_torrent("done", time, {}, {})->bytes == again->make_torrent("done", time, {}, {})->bytes);
}

TEST_CASE("a chunk that did not change is a link to the previous version's, unless that was damaged") {
  Workshop const workshop;
  auto bytes = content();
  auto const first = workshop.chunker();
  REQUIRE(ingest(workshop.image(bytes), *first, go_on));
  REQUIRE(first->move_to(workshop.path("first")));
  std::ofstream{workshop.path("first/000003.zst")} << "damaged";
  bytes[(1u << 20) + 5] ^= 1;
  auto const second = workshop.chunker(workshop.path("first"));
  REQUIRE(ingest(workshop.image(bytes), *second, go_on));
  REQUIRE(second->move_to(workshop.path("second")));
  auto const shared = [&](char const* name) {
    return std::filesystem::equivalent(workshop.path("first") / name, workshop.path("second") / name);
  };
  CHECK(shared("000000.zst"));
  CHECK_FALSE(shared("000001.zst"));
  CHECK(shared("000002.zst"));
  CHECK_FALSE(shared("000003.zst"));
  CHECK(read_file(workshop.path("second/000003.zst"), 64_MiB)->size() > 1000);
}

TEST_CASE("chunks that were not moved into place are gone") {
  Workshop const workshop;
  auto const image = workshop.image(content());
  {
    auto const packer = workshop.chunker();
    REQUIRE(ingest(image, *packer, go_on));
  }
  auto const left = *list_directory(workshop.path("."));
  CHECK(left.size() == 1);  // the image
}

TEST_CASE("an artefact that was not moved into place is gone") {
  Workshop const workshop;
  std::filesystem::path path;
  {
    auto const artefact = TemporaryFile::create(workshop.path("."));
    REQUIRE(artefact);
    path = artefact->path();
    CHECK(std::filesystem::exists(path));
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("an image that grows or is written while it is read is not added") {
  Workshop const workshop;
  auto const image = workshop.image(content());
  auto const packer = workshop.packer({{}, {}, 16_KiB, {}});
  bool touched = false;
  auto const digests = ingest(image, *packer, [&](ByteCount) -> Result<> {
    if (!touched) std::ofstream{workshop.path("image"), std::ios::app} << "more";
    touched = true;
    return {};
  });
  REQUIRE_FALSE(digests);
  CHECK_THAT(digests.error().what, Catch::Contains("changed while it was read"));
}

TEST_CASE("the reading stops when it is told to") {
  Workshop const workshop;
  auto const image = workshop.image(content());
  auto const packer = workshop.packer({{}, {}, 16_KiB, {}});
  auto const digests =
      ingest(image, *packer, [](ByteCount) -> Result<> { return fail(Fault::cancelled, "interrupted"); });
  REQUIRE_FALSE(digests);
  CHECK(digests.error().fault == Fault::cancelled);
}

TEST_CASE("a sparse image that will be packed gets small pieces") {
  Workshop const workshop;
  std::ofstream{workshop.path("sparse")}.flush();
  std::filesystem::resize_file(workshop.path("sparse"), 10ull << 30);
  auto const image = open_regular(workshop.path("sparse"));
  CHECK(*likely_piece_length(*image, document::Compression::none) == torrent::piece_length_for(10_GiB));
  CHECK(*likely_piece_length(*image, document::Compression::zstd) < torrent::piece_length_for(1_GiB));
}

}  // namespace
}  // namespace imageswarm::ingest
