#include "common/image/ova_derivation.hpp"

#include <utility>

#include "common/image/manifest.hpp"
#include "common/image/ovf_rewrite.hpp"
#include "common/image/tar_writer.hpp"

namespace imageswarm::image {
namespace {

std::span<std::byte const> bytes_of(std::string_view text) {
  return std::as_bytes(std::span{text});
}

/// box.ovf: box.mf
std::string manifest_name(Appliance const& appliance) {
  if (appliance.manifest) return appliance.manifest->name;
  auto const& ovf = appliance.ovf.name;
  return ovf.substr(0, ovf.rfind('.')) + ".mf";
}

/// Writes members one after the other and the manifest of them.
class Archive {
public:
  Archive(std::string algorithm, ContentSink const& sink) : algorithm_{std::move(algorithm)}, sink_{sink} {}

  /// `feed` hands the member's bytes to the sink that it is given.
  Result<> add(std::string_view name, std::uint64_t size, std::function<Result<>(ContentSink const&)> const& feed) {
    auto hasher = ManifestHasher::named(algorithm_);
    if (!hasher) return fail(hasher.error());
    if (auto const begun = sink_(bytes_of(tar_header(name, size))); !begun) return begun;
    auto const fed = feed([&](std::span<std::byte const> piece) {
      hasher->update(piece);
      return sink_(piece);
    });
    if (!fed) return fed;
    manifest_ += fmt::format("{}({})= {}\n", algorithm_, name, hasher->finish());
    return sink_(bytes_of(tar_padding(size)));
  }

  Result<> add(std::string_view name, std::string_view text) {
    return add(name, text.size(), [text](ContentSink const& into) { return into(bytes_of(text)); });
  }

  Result<> finish(std::string_view manifest) {
    auto const text = std::exchange(manifest_, {});
    return add(manifest, text).and_then([&] { return sink_(bytes_of(tar_end())); });
  }

private:
  std::string algorithm_;
  ContentSink const& sink_;
  std::string manifest_;
};

}  // namespace

Result<OvaDerivation> OvaDerivation::prepare(Content& content, OvaOrder order) {
  auto appliance = read_ova(content);
  if (!appliance) return fail(appliance.error());
  auto const old = read_part(content, appliance->ovf.offset, appliance->ovf.size);
  if (!old) return fail(old.error());
  auto ovf = rewrite_ovf({reinterpret_cast<char const*>(old->data()), old->size()}, order);
  if (!ovf) return fail(ovf.error());
  auto result = summary_of(*appliance);
  if (order.form == OvaOrder::Form::disk) {
    if (appliance->disks.size() != 1)
      return fail(Fault::image_ovf, "the appliance has {} disks, and one of them cannot stand for it",
                  appliance->disks.size());
    result = appliance->disks.front().inspection;
  }
  return OvaDerivation{content, std::move(order), std::move(*appliance), std::move(*ovf), std::move(result)};
}

Result<> OvaDerivation::write(ContentSink const& sink) const {
  if (order_.form == OvaOrder::Form::ova) return write_archive(sink);
  auto const& disk = appliance_.disks.front().member;
  return read_through(*content_, disk.offset, disk.size, sink);
}

Result<> OvaDerivation::write_archive(ContentSink const& sink) const {
  Archive archive{appliance_.digest_algorithm.empty() ? "SHA256" : appliance_.digest_algorithm, sink};
  if (auto const done = archive.add(appliance_.ovf.name, ovf_); !done) return done;
  for (auto const& file : order_.files) {
    if (auto const done = archive.add(file.name, file.content); !done) return done;
  }
  for (auto const& member : appliance_.files) {
    auto const feed = [&](ContentSink const& into) {
      return read_through(*content_, member.offset, member.size, into);
    };
    if (auto const done = archive.add(member.name, member.size, feed); !done) return done;
  }
  return archive.finish(manifest_name(appliance_));
}

}  // namespace imageswarm::image
