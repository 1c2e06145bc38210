#include "common/image/compress.hpp"
#include "indexer/ingest/packer.hpp"
#include "indexer/ingest/stage.hpp"
#include "indexer/ingest/temporary.hpp"

namespace imageswarm::ingest {
namespace {

class FilePacker final : public Packer {
public:
  FilePacker(Recipe const& recipe, TemporaryFile artefact)
      : artefact_{std::move(artefact)},
        builder_{recipe.piece_length, recipe.flavour},
        compressor_{recipe.compression, [this](std::span<std::byte const> packed) { return take_packed(packed); }} {}

  Result<> update(std::span<std::byte const> content) override { return compressor_.update(content); }

  Result<Packed> finish() override {
    if (auto done = compressor_.finish(); !done) return fail(std::move(done.error()));
    for (auto* stage : {&digesting_, &piecing_}) {
      if (auto done = stage->finish(); !done) return fail(std::move(done.error()));
    }
    return Packed{size_, sha256_.finish()};
  }

  Result<torrent::Builder::Built> make_torrent(std::string_view name, TimePoint created,
                                               torrent::Builder::Sources const& sources,
                                               std::string_view swarm_ca) override {
    return builder_.finish(name, created, sources, swarm_ca);
  }

  Result<> move_to(std::filesystem::path const& name) override { return artefact_.move_to(name); }

private:
  [[nodiscard]] Result<> take_packed(std::span<std::byte const> packed) {
    if (auto written = write_all(artefact_.fd(), packed, artefact_.path()); !written) return written;
    size_ += ByteCount{packed.size()};
    auto const chunk = std::make_shared<std::vector<std::byte> const>(packed.begin(), packed.end());
    if (auto pushed = digesting_.push(chunk); !pushed) return pushed;
    return piecing_.push(chunk);
  }

  TemporaryFile artefact_;
  ByteCount size_;
  Hasher<Sha256> sha256_;
  torrent::Builder builder_;
  image::Compressor compressor_;
  // Threads last, so that they end before what they use.
  Stage digesting_{feeding(sha256_)};
  Stage piecing_{feeding(builder_)};
};

}  // namespace

Result<std::unique_ptr<Packer>> pack_file(Recipe const& recipe, std::filesystem::path const& directory) {
  auto artefact = TemporaryFile::create(directory);
  if (!artefact) return fail(std::move(artefact.error()));
  return std::make_unique<FilePacker>(recipe, std::move(*artefact));
}

}  // namespace imageswarm::ingest
