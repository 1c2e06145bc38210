#include "indexer/commands/add.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stop_token>

#include "common/base/progress_bar.hpp"
#include "common/base/text.hpp"
#include "common/image/compress.hpp"
#include "common/image/inspect.hpp"
#include "indexer/commands/capture.hpp"
#include "indexer/commands/recipe.hpp"
#include "indexer/commands/swarm_ca.hpp"
#include "indexer/ingest/ingest.hpp"
#include "indexer/interruption.hpp"

namespace imageswarm::commands {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t longest_file_name = 128;
constexpr std::string_view torrent_ending = ".torrent";
constexpr std::string_view chunks_ending = ".chunks";
constexpr auto draft_url = "torrents/draft.torrent";

/// Which family the image belongs to, by its name unless the person says otherwise.
Result<Uuid> choose_family(AddOptions const& options, store::Store const& store) {
  auto const known = store::family_of(store.items(), options.name);
  if (options.family.empty()) return known ? *known : Uuid::random();
  auto const wanted = Uuid::parse(options.family);
  if (!wanted) return fail(Fault::usage, "--family: {}", wanted.error().what);
  if (known && *known != *wanted) {
    return fail(Fault::exists, "the name '{}' belongs to the family {} of this store", options.name, known->text());
  }
  return *wanted;
}

Result<document::Version> choose_version(AddOptions const& options, TimePoint now) {
  if (options.version.empty()) return document::Version::parse(std::to_string(now.time_since_epoch().count()));
  auto version = document::Version::parse(options.version);
  if (!version) return fail(Fault::usage, "--image-version: {}", version.error().what);
  return version;
}

/// Everything of the entry that is known before the image is read. Digests and sizes stand for themselves until then,
/// so that a wrong option is found in the first second and not after an hour.
Result<document::Image> draft(AddOptions const& options, store::Store const& store, TimePoint produced, TimePoint now) {
  if (!document::is_image_name(options.name)) {
    return fail(Fault::usage, "'{}' is no name for an image: letters, digits, blanks and ._+()-, at most 128",
                printable(options.name));
  }
  auto const family = choose_family(options, store);
  if (!family) return fail(family.error());
  auto const version = choose_version(options, now);
  if (!version) return fail(version.error());
  for (auto const& item : store.items()) {
    if (item.image.uuid != *family || item.image.version != *version) continue;
    return fail(Fault::exists, "there is a {} in this store already{}; give another --image-version", item.label(),
                item.state == store::State::withdrawn ? ", withdrawn" : "");
  }
  document::Image image;
  image.uuid = *family;
  image.image_id = document::image_id_of(*family, {});
  image.name = options.name;
  image.version = *version;
  image.architecture = "x86_64";
  image.hypervisor = "kvm";
  image.produced = produced;
  image.disk_format = options.disk_format.empty() ? "raw" : options.disk_format;
  image.content_size = ByteCount{1};
  auto& torrent = image.torrent;
  torrent.name = "draft.torrent";
  torrent.download_url = draft_url;
  torrent.content_name = "draft";
  torrent.file_size = torrent.content_size = ByteCount{1};
  torrent.piece_length = torrent::min_piece_length;
  torrent.created = now;
  return edited(image, options.edits, now);
}

/// What it is, if that is what was declared.
Result<image::Inspection> judge(AddOptions const& options, document::Image const& declared, UniqueFd const& file,
                                Interruption const& interruption) {
  auto const found = image::inspect(file, std::stop_token{});
  if (interruption.asked()) return fail(Fault::cancelled, "interrupted; nothing was added");
  if (!found) return fail(found.error());
  if (!options.disk_format.empty() && options.disk_format != found->disk_format) {
    return fail(Fault::image_format_mismatch, "--disk-format says {}, but its content is {}",
                printable(options.disk_format), found->disk_format);
  }
  if (declared.container_format != found->container_format && options.edits.contains("container-format")) {
    return fail(Fault::image_format_mismatch, "--container-format says {}, but its content is {}",
                declared.container_format, found->container_format);
  }
  return found;
}

/// What a person should know of a disk that is safe, but may be of no use.
void warn(image::Inspection const& found, Context& context) {
  if (found.partitions == image::Partitions::none) {
    context.output.say("warning: the image has no partition table; a raw disk without one seldom boots");
  }
  if (found.partitions == image::Partitions::boot_signature_only) {
    context.output.say("warning: the image has a boot signature but no partition table; Glance 33 and later refuse it");
  }
}

bool name_is_taken(store::Store const& store, std::string const& artefact) {
  return std::any_of(store.items().begin(), store.items().end(),
                     [&](store::Item const& item) { return item.image.torrent.content_name == artefact; });
}

/// The CA of the new image's swarm; empty for an image that everybody may have.
Result<std::string> swarm_ca_for(AddOptions const& options, store::Store const& store, TimePoint now) {
  if (!options.torrent_ssl) return {};
  auto pem = read_swarm_ca(store.swarm_ca(), now);
  if (pem || pem.error().fault != Fault::not_found) return pem;
  return fail(Fault::usage, "--torrent-ssl: this store has no swarm CA; name one: imageswarm-index swarm-ca FILE");
}

/// Fills in what the reading has told and makes the torrent. The result is the torrent file.
Result<std::string> complete(document::Image& image, ingest::Digests const& digests, ingest::Recipe const& recipe,
                             ingest::Packer& packer, std::string const& swarm_ca, store::Store const& store,
                             TimePoint now) {
  image.content_size = digests.content_size;
  image.content_sha256 = digests.content_sha256;
  image.content_sha512 = digests.content_sha512;
  image.image_id = document::image_id_of(image.uuid, digests.content_sha256);
  for (auto const& item : store.items()) {
    if (item.image.image_id != image.image_id) continue;
    if (item.state == store::State::withdrawn) {
      return fail(Fault::exists,
                  "this content was withdrawn as {}; if it shall come back, give it a --family of its own",
                  item.label());
    }
    return fail(Fault::exists, "this content is in the store already, as {} (image ID {})", item.label(),
                image.image_id.text());
  }
  bool const is_private = !swarm_ca.empty();
  // The image ID: certificates may name it, and no such name is the beginning of another.
  auto const packing = recipe.chunk_size ? chunks_ending : image::extension_of(recipe.compression);
  auto name = is_private ? image.image_id.text() : artefact_name(image, packing);
  if (name_is_taken(store, name)) name = image.image_id.text() + "-" + name.substr(0, 80);
  auto const web_seeds = is_private ? std::vector<std::string>{} : store.settings().web_seeds;
  auto built = packer.make_torrent(name, now, {store.settings().trackers, web_seeds}, swarm_ca);
  if (!built) return fail(std::move(built.error()));
  std::optional<document::Chunks> chunks;
  if (recipe.chunk_size) {
    auto counted = document::chunks_of(digests.content_size, *recipe.chunk_size);
    if (!counted) return fail(std::move(counted.error()));
    chunks = *counted;
  }
  bool const url_given = image.torrent.download_url != draft_url;
  auto const torrent_name = name + std::string{torrent_ending};
  image.torrent = {.name = torrent_name,
                   .file_sha256 = digest_of<Sha256>(built->bytes),
                   .file_size = ByteCount{built->bytes.size()},
                   .info_hash_v2 = built->info_hash_v2,
                   .info_hash_v1 = built->info_hash_v1,
                   .created = now,
                   .download_url = url_given ? image.torrent.download_url : "torrents/" + torrent_name,
                   .chunks = chunks,
                   .piece_length = built->piece_length,
                   .ssl = is_private,
                   .content_name = name,
                   .content_size = digests.artefact.size,
                   .content_sha256 = digests.artefact.sha256,
                   .compression = recipe.compression};
  return std::move(built->bytes);
}

Result<ingest::Digests> read_once(UniqueFd const& file, ByteCount size, ingest::Packer& packer,
                                  Interruption const& interruption, std::string const& label) {
  ProgressBar bar{label, size};
  return ingest::ingest(file, packer, [&](ByteCount done) -> Result<> {
    if (interruption.asked()) return fail(Fault::cancelled, "interrupted; nothing was added");
    bar.update(done);
    return {};
  });
}

void tell(store::Item const& item, store::Store const& store, Context& context) {
  auto const& image = item.image;
  auto const& torrent = image.torrent;
  context.output.say("added {} ({}, {})", item.label(), image.disk_format, human(image.content_size));
  context.output.say("  image ID  {}", image.image_id.text());
  context.output.say("  family    {}", image.uuid.text());
  context.output.say("  sha256    {}", image.content_sha256.hex());
  context.output.say("  artefact  {} ({})", torrent.content_name, human(torrent.content_size));
  if (torrent.ssl) context.output.say("  private   only hosts with a certificate of the swarm CA get it");
  auto const newest = store::find(store.items(), image.uuid.text());
  if (newest && (*newest)->image.version > image.version) {
    context.output.say("note: {} is older than {}; hosts prefer the newest", item.label(), (*newest)->label());
  }
  context.output.say("next: imageswarm-index endorse '{}'", item.label());
  context.output.result(to_json(item));
}

Result<> add_and_tell(AddOptions const& options, store::Store& store, Context& context) {
  auto const item = add_image(options, store, context);
  if (!item) return fail(item.error());
  tell(*item, store, context);
  return {};
}

}  // namespace

std::string artefact_name(document::Image const& image, std::string_view packing) {
  std::string slug;
  for (char const c : image.name) {
    bool const fits =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
    if (fits) slug += c;
    if (!fits && !slug.ends_with('-')) slug += '-';
  }
  if (slug.ends_with('-')) slug.pop_back();
  auto const ending = fmt::format(".{}{}", image.container_format == "ova" ? "ova" : image.disk_format, packing);
  auto const version = "-" + image.version.text.substr(0, 40);
  auto const room = longest_file_name - torrent_ending.size() - ending.size() - version.size();
  return slug.substr(0, room) + version + ending;
}

Result<> add(AddOptions const& options, store::Store& store, Context& context) {
  bool const of_glance = !options.from_glance.empty(), of_device = !options.from_device.empty();
  if (of_glance + of_device + !options.file.empty() != 1) {
    return fail(Fault::usage, "name what to add: a FILE, or --from-glance CLOUD:IMAGE, or --from-device DEVICE");
  }
  if (of_glance || of_device) {
    auto const now = context.clock.now();
    // A wrong option is found before anything is read.
    if (auto const good = draft(options, store, now, now); !good) return fail(good.error());
    context.output.about(of_glance ? options.from_glance : options.from_device.native());
    auto captured =
        of_glance ? capture_from_glance(options, store, context) : capture_from_device(options, store, context);
    if (!captured) return fail(std::move(captured.error()));
    captured->options.file = captured->file.path();
    return add_and_tell(captured->options, store, context);
  }
  context.output.about(options.file.filename().native());
  return add_and_tell(options, store, context);
}

Result<store::Item> add_image(AddOptions const& options, store::Store& store, Context& context) {
  auto const now = context.clock.now();
  std::error_code error;
  auto const path = std::filesystem::canonical(options.file, error);  // a person may name a link
  if (error) return fail(errno_error(error.value(), "opening", options.file));
  auto const file = open_regular(path);
  if (!file) return fail(file.error());
  struct stat status {};
  if (::fstat(file->get(), &status) != 0) return fail(errno_error(errno, "reading", path));
  TimePoint const produced{std::chrono::seconds{status.st_mtim.tv_sec}};

  auto image = draft(options, store, std::min(produced, now), now);
  if (!image) return fail(std::move(image.error()));
  auto const swarm_ca = swarm_ca_for(options, store, now);
  if (!swarm_ca) return fail(swarm_ca.error());
  ByteCount const size{static_cast<std::uint64_t>(status.st_size)};
  auto const recipe = recipe_for(options, *image, *file, size, store, context);
  if (!recipe) return fail(recipe.error());
  Interruption const interruption;
  auto const found = judge(options, *image, *file, interruption);
  if (!found) return fail(found.error());
  warn(*found, context);
  image->disk_format = found->disk_format;
  image->container_format = found->container_format;

  auto const artefacts = store.artefacts(options.torrent_ssl);
  auto packer = recipe->chunk_size
                    ? ingest::pack_chunks(*recipe->chunk_size, artefacts, chunks_before(store, image->uuid))
                    : ingest::pack_file(*recipe, artefacts);
  if (!packer) return fail(std::move(packer.error()));
  auto const digests = read_once(*file, size, **packer, interruption,
                                 options.origin.empty() ? options.file.filename().native() : options.name);
  if (!digests) return fail(digests.error());
  auto const torrent = complete(*image, *digests, *recipe, **packer, *swarm_ca, store, now);
  if (!torrent) return fail(torrent.error());

  if (auto moved = (*packer)->move_to(store.artefact(*image)); !moved) return fail(moved.error());
  if (auto written = write_file_atomically(store.torrent(*image), *torrent); !written) return fail(written.error());
  store::Item item;
  item.image = std::move(*image);
  item.imported_from = options.imported_from;
  auto const& origin = options.origin.empty() ? path.native() : options.origin;
  if (auto saved = save(store, item, "added", origin, now); !saved) return fail(saved.error());
  return item;
}

}  // namespace imageswarm::commands
