#include "indexer/ingest/ingest.hpp"

#include <catch2/catch.hpp>
#include <fstream>

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
  TemporaryFile artefact() const { return std::move(*TemporaryFile::create(directory_.path())); }
  std::filesystem::path path(std::string const& name) const { return directory_ / name; }

private:
  test::TemporaryDirectory directory_;
};

TEST_CASE("one reading gives the digests of the content, the artefact and its torrent") {
  Workshop const workshop;
  auto const bytes = content();
  auto const image = workshop.image(bytes);
  auto const compression = GENERATE(document::Compression::none, document::Compression::zstd);
  auto artefact = workshop.artefact();
  Recipe const recipe{compression, torrent::Flavour::hybrid, 16_KiB};
  auto digests = ingest(image, recipe, artefact, go_on);
  REQUIRE(digests);
  CHECK(digests->content_size.value == bytes.size());
  CHECK(digests->content_sha256 == digest_of<Sha256>(bytes));
  CHECK(digests->content_sha512 == digest_of<Sha512>(bytes));

  REQUIRE(artefact.move_to(workshop.path("done")));
  auto const packed = *read_file(workshop.path("done"), 64_MiB);
  CHECK(digests->artefact_size.value == packed.size());
  CHECK(digests->artefact_sha256 == digest_of<Sha256>(packed));
  CHECK((packed == bytes) == (compression == document::Compression::none));

  torrent::Builder builder{16_KiB, torrent::Flavour::hybrid};
  builder.update(std::as_bytes(std::span{packed}));
  auto const time = *parse_time("2026-01-02T03:04:05Z");
  CHECK(digests->builder.finish("done", time)->bytes == builder.finish("done", time)->bytes);
}

TEST_CASE("an artefact that was not moved into place is gone") {
  Workshop const workshop;
  std::filesystem::path path;
  {
    auto const artefact = workshop.artefact();
    path = artefact.path();
    CHECK(std::filesystem::exists(path));
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("an image that grows or is written while it is read is not added") {
  Workshop const workshop;
  auto const image = workshop.image(content());
  auto const artefact = workshop.artefact();
  bool touched = false;
  auto const digests = ingest(image, {{}, {}, 16_KiB}, artefact, [&](ByteCount) -> Result<> {
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
  auto const artefact = workshop.artefact();
  auto const digests = ingest(image, {{}, {}, 16_KiB}, artefact,
                              [](ByteCount) -> Result<> { return fail(Fault::cancelled, "interrupted"); });
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
