#include "indexer/commands/capture.hpp"

#include <unistd.h>

#include <cerrno>
#include <stop_token>
#include <vector>

#include "common/base/progress_bar.hpp"
#include "common/base/text.hpp"
#include "common/openstack/source_image.hpp"
#include "indexer/exchange/glance_record.hpp"
#include "indexer/ingest/block_device.hpp"
#include "indexer/ingest/sparse_writer.hpp"
#include "indexer/interruption.hpp"

namespace imageswarm::commands {
namespace {

/// Takes the bytes as they come into the temporary file.
class Intake {
public:
  Intake(std::string const& name, ByteCount size, ingest::TemporaryFile const& into)
      : writer_{into}, bar_{name, size} {}

  [[nodiscard]] Result<> take(std::span<std::byte const> data) {
    if (interruption_.asked()) return fail(Fault::cancelled, "interrupted; nothing was added");
    auto const written = writer_.write(data);
    bar_.update(writer_.size());
    return written;
  }
  [[nodiscard]] Result<> finish() { return writer_.finish(); }

private:
  Interruption const interruption_;
  ingest::SparseWriter writer_;
  ProgressBar bar_;
};

/// What the person said wins; of a map, each key by itself.
void add_defaults(Edits& edits, Edits defaults) {
  for (auto& property : defaults["glance-properties"]) {
    auto const key = property.substr(0, property.find('=') + 1);
    auto& said = edits["glance-properties"];
    bool const is_said = std::ranges::any_of(said, [&](auto const& other) { return other.starts_with(key); });
    if (!is_said) said.push_back(std::move(property));
  }
  edits.merge(defaults);
  std::erase_if(edits, [](auto const& edit) { return edit.second.empty(); });
}

Result<> read_device(ingest::BlockDevice const& device, std::filesystem::path const& path, Intake& intake) {
  std::vector<std::byte> buffer(ByteCount{1_MiB}.value);
  for (;;) {
    auto const count = ::read(device.fd.get(), buffer.data(), buffer.size());
    if (count == 0) return intake.finish();
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, "reading", path));
    if (auto taken = intake.take(std::span{buffer}.first(static_cast<std::size_t>(count))); !taken) return taken;
  }
}

}  // namespace

Result<Captured> capture_from_glance(AddOptions const& options, store::Store const& store, Context& context) {
  auto const colon = options.from_glance.find(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == options.from_glance.size()) {
    return fail(Fault::usage,
                "--from-glance: CLOUD:IMAGE, with the cloud's name in clouds.yaml and an image's ID or name");
  }
  auto const file_of_clouds = options.clouds_file.empty() ? openstack::usual_clouds_file() : options.clouds_file;
  auto cloud = openstack::load_cloud(file_of_clouds, options.from_glance.substr(0, colon));
  if (!cloud) return fail(std::move(cloud.error()));
  auto const name_of_cloud = cloud->name;
  openstack::Glance glance{std::move(*cloud)};
  std::stop_token const never;
  auto const record = openstack::find_source(glance, options.from_glance.substr(colon + 1), never);
  if (!record) return fail(record.error());
  auto entry = exchange::read_record(*record);
  if (!entry) return fail(std::move(entry.error()));

  auto file = ingest::TemporaryFile::create(store.artefacts(options.torrent_ssl));
  if (!file) return fail(std::move(file.error()));
  Intake intake{options.name, *record->size, *file};
  auto const take = [&intake](std::span<std::byte const> data) { return intake.take(data); };
  auto const data = openstack::download(glance, *record, take, never);
  if (!data) return fail(data.error());
  if (auto done = intake.finish(); !done) return fail(std::move(done.error()));

  Captured captured{std::move(*file), options};
  auto& add = captured.options;
  add.origin = fmt::format("image {} ({}) of cloud {}", record->id, printable(record->name), printable(name_of_cloud));
  if (add.disk_format.empty()) add.disk_format = record->disk_format;
  add_defaults(add.edits, std::move(entry->keys));
  context.output.say("read {}, {}, {}", add.origin, human(data->size),
                     openstack::has_hash(*record) ? record->hash_algorithm + " as Glance says"
                                                  : "which Glance has no hash of: only its size was compared");
  if (!entry->left_out.empty()) context.output.say("left out: {}", join(entry->left_out, ", "));
  return captured;
}

Result<Captured> capture_from_device(AddOptions const& options, store::Store const& store, Context& context) {
  auto const device = ingest::open_unused(options.from_device);
  if (!device) return fail(device.error());
  auto file = ingest::TemporaryFile::create(store.artefacts(options.torrent_ssl));
  if (!file) return fail(std::move(file.error()));
  context.output.say("reading {}, {}", printable(options.from_device.native()), human(device->size));
  Intake intake{options.name, device->size, *file};
  if (auto read = read_device(*device, options.from_device, intake); !read) return fail(std::move(read.error()));
  Captured captured{std::move(*file), options};
  captured.options.origin = options.from_device.native();
  if (captured.options.disk_format.empty()) captured.options.disk_format = "raw";
  return captured;
}

}  // namespace imageswarm::commands
