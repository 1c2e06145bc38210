#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>

#include "common/base/units.hpp"
#include "indexer/commands/add.hpp"
#include "indexer/commands/edit.hpp"
#include "indexer/commands/endorse.hpp"
#include "indexer/commands/history.hpp"
#include "indexer/commands/init.hpp"
#include "indexer/commands/list.hpp"
#include "indexer/commands/publish.hpp"
#include "indexer/commands/rename.hpp"
#include "indexer/commands/rollback.hpp"
#include "indexer/commands/show.hpp"
#include "indexer/commands/swarm_ca.hpp"
#include "indexer/commands/withdraw.hpp"
#include "indexer/verb_options.hpp"
#include "indexer/verbs.hpp"

namespace imageswarm::indexer {
namespace {

using commands::Context;
using store::Access;
using store::Store;

constexpr auto image_help = "Image ID, NAME, NAME@VERSION or family UUID";

/// An option for each key of the entry that a person may set.
void add_entry_options(CLI::App* verb, commands::Edits& edits) {
  using Form = commands::EntryKey::Form;
  for (auto const& key : commands::entry_keys()) {
    auto const put = [&edits, name = std::string{key.key}](std::string const& value) { edits[name].push_back(value); };
    auto* option = value_option(verb, std::string{key.options}, put, std::string{key.help});
    if (key.form == Form::list || key.form == Form::map) option->take_all();
  }
}

void define_init(CLI::App& app, Choice& choice) {
  auto* verb =
      new_verb(app, "init", "Make a store",
               "  imageswarm-index init --name lxcloud --endorser-name 'Ada Endorser' --contact ada@example.org \\\n"
               "      --tracker http://tracker.example.org:6969/announce \\\n"
               "      --web-seed https://images.example.org/images/");
  auto options = std::make_shared<commands::InitOptions>();
  verb->add_option("--name", options->name, "Name of the catalogue: lower-case letters, digits, dots, dashes")
      ->required();
  verb->add_option("--endorser-name", options->endorser_name, "Who stands behind the images")->required();
  verb->add_option("--contact", options->contact, "Address for questions");
  repeated(verb, "--tracker", options->trackers, "Announce URL of a tracker (repeat)");
  repeated(verb, "--web-seed", options->web_seeds, "URL of a directory with the artefacts, ending in / (repeat)");
  verb->add_option("--swarm-ca", options->swarm_ca, "PEM file: the CA whose hosts may have the private images");
  verb->callback([&choice, options] {
    choice.verb = [&choice, options](Context& context) { return commands::init(*options, choice.store, context); };
  });
}

void define_add(CLI::App& app, Choice& choice) {
  auto* verb =
      new_verb(app, "add", "Inspect an image, compute its digests and its torrent, keep it as managed",
               "  imageswarm-index add debian-12.qcow2 --name debian-12 --os-distro debian --os-version 12\n"
               "  imageswarm-index add worker.raw --name worker --compress zstd --vo-tag atlas --expires 180d \\\n"
               "      --distribution-cluster lxcloud --property hw_disk_bus=virtio\n"
               "  imageswarm-index add --from-glance mysite:my-snapshot --name worker --compress zstd\n"
               "  imageswarm-index add --from-device /dev/vg0/golden --name golden --compress zstd");
  auto options = std::make_shared<commands::AddOptions>();
  verb->add_option("FILE", options->file, "Disk image, not compressed: raw, qcow2, VMDK, ISO or an OVA");
  auto* glance = verb->add_option("--from-glance", options->from_glance,
                                  "CLOUD:IMAGE instead of FILE: an image or snapshot, by its ID or name")
                     ->type_name("CLOUD:IMAGE");
  verb->add_option("--clouds-file", options->clouds_file,
                   "Where that cloud is (default: as other OpenStack clients, else /etc/imageswarm/clouds.yaml)")
      ->needs(glance);
  verb->add_option("--from-device", options->from_device, "Block device instead of FILE; nobody may be using it");
  verb->add_option("--name", options->name, "Name of the image, also in Glance; a name that is there: same family")
      ->required();
  verb->add_option("--family", options->family, "UUID of the family (default: that of the name, or a new one)");
  verb->add_option("--image-version", options->version, "Integer or dotted digits (default: UTC seconds)");
  verb->add_option("--disk-format", options->disk_format, "An error if the content is another (default: detected)");
  verb->add_option("--compress", options->compress, "none (default), gzip, xz, zstd or bzip2");
  verb->add_option("--torrent-layout,--layout", options->layout,
                   "file (default), or chunks: compressed piece by piece, so that hosts fetch what changed");
  verb->add_option("--chunk-size", options->chunk_size, "64KiB to 8MiB (default: 1MiB, more beyond 8 GiB)");
  verb->add_option("--torrent", options->torrent, "v2 (default) or hybrid, which older clients read too");
  verb->add_option("--piece-length", options->piece_length,
                   "16KiB to 16MiB (default: as in the family's newest version, else by the size)");
  verb->add_flag("--torrent-ssl", options->torrent_ssl,
                 "A private image: only hosts with a certificate of the swarm CA get it");
  add_entry_options(verb, options->edits);
  chooses(verb, choice, Access::write, options, commands::add);
}

void define_swarm_ca(CLI::App& app, Choice& choice) {
  auto* verb =
      new_verb(app, "swarm-ca", "Name the CA whose hosts may have the private images that are added from now on",
               "  imageswarm-index swarm-ca swarm-ca.pem");
  auto file = std::make_shared<std::filesystem::path>();
  verb->add_option("FILE", *file, "PEM file with the one self-signed CA certificate")->required();
  chooses(verb, choice, Access::write, file, commands::set_swarm_ca);
}

void define_looking(CLI::App& app, Choice& choice) {
  auto* list =
      new_verb(app, "list", "All images of the store", "  imageswarm-index list\n  imageswarm-index list --json");
  chooses(
      list, choice, Access::read, std::make_shared<std::string>(),
      +[](std::string const&, Store const& store, Context& context) { return commands::list(store, context); });

  auto* show = new_verb(app, "show", "One image with its whole entry",
                        "  imageswarm-index show debian-12\n  imageswarm-index show debian-12@1700000000");
  auto shown = std::make_shared<std::string>();
  show->add_option("IMAGE", *shown, image_help)->required();
  chooses(show, choice, Access::read, shown, commands::show);

  auto* history = new_verb(app, "history", "Who did what and when",
                           "  imageswarm-index history\n  imageswarm-index history debian-12");
  auto about = std::make_shared<std::string>();
  history->add_option("IMAGE", *about, std::string{image_help} + " (default: everything)");
  chooses(history, choice, Access::read, about, commands::history);
}

void define_changing(CLI::App& app, Choice& choice) {
  auto* edit =
      new_verb(app, "edit", "Change an entry; it must then be endorsed again",
               "  imageswarm-index edit debian-12 --description 'Debian 12, minimal' --vo-tag atlas --vo-tag cms\n"
               "  imageswarm-index edit debian-12 --expires ''       # an empty value takes a key out");
  auto edited = std::make_shared<commands::EditOptions>();
  edit->add_option("IMAGE", edited->image, image_help)->required();
  add_entry_options(edit, edited->edits);
  chooses(edit, choice, Access::write, edited, commands::edit);

  auto* rename = new_verb(app, "rename", "Give one image another name", "  imageswarm-index rename debian-12 bookworm");
  auto renamed = std::make_shared<commands::RenameOptions>();
  rename->add_option("IMAGE", renamed->image, image_help)->required();
  rename->add_option("NEW-NAME", renamed->new_name, "The new name")->required();
  chooses(rename, choice, Access::write, renamed, commands::rename);

  auto* withdraw = new_verb(app, "withdraw", "Take an image back, with the next publication",
                            "  imageswarm-index withdraw debian-12@1700000000 --reason 'CVE-2026-1234'");
  auto withdrawn = std::make_shared<commands::WithdrawOptions>();
  withdraw->add_option("IMAGE", withdrawn->image, image_help)->required();
  withdraw->add_option("--reason", withdrawn->reason, "Why, for those who used it");
  chooses(withdraw, choice, Access::write, withdrawn, commands::withdraw);
}

void define_endorse(CLI::App& app, Choice& choice) {
  auto* verb = new_verb(app, "endorse", "Show exactly what will be signed, ask, and mark it endorsed",
                        "  imageswarm-index endorse debian-12\n  imageswarm-index endorse --all --yes");
  auto options = std::make_shared<commands::EndorseOptions>();
  verb->add_option("IMAGE", options->images, std::string{image_help} + " (several are fine)");
  verb->add_flag("--all", options->all, "All that are not endorsed yet");
  verb->add_flag("--yes", options->yes, "Do not ask");
  options->ask = choice.ask;
  chooses(verb, choice, Access::write, options, commands::endorse);
}

void define_rollback(CLI::App& app, Choice& choice) {
  auto* verb = new_verb(app, "rollback", "Take back everything newer in an image's family, with the next publication",
                        "  imageswarm-index rollback debian-12@1700000000\n"
                        "  imageswarm-index rollback debian-12@1700000000 --yes --certificate cert.pem --key key.pem");
  auto options = std::make_shared<commands::RollbackOptions>();
  verb->add_option("IMAGE", options->image, "The version to go back to: NAME@VERSION or image ID")->required();
  verb->add_flag("--yes", options->yes, "Do not ask");
  auto& publish = options->publish;
  auto* certificate = verb->add_option("--certificate", publish.certificate, "Publish at once, signed by this one");
  auto* key = verb->add_option("--key", publish.key, "Its key: PEM file or pkcs11:…")->needs(certificate);
  certificate->needs(key);
  duration(verb, "--lifetime", publish.lifetime, "How long that catalogue holds, at most 90d (default: 28d)");
  options->ask = choice.ask;
  chooses(verb, choice, Access::write, options, commands::rollback);
}

void define_publish(CLI::App& app, Choice& choice) {
  auto* verb = new_verb(app, "publish", "Sign the endorsed images and write public/",
                        "  imageswarm-index publish --certificate cert.pem --key key.pem --lifetime 7d\n"
                        "  imageswarm-index publish --certificate cert.pem --key 'pkcs11:token=endorser;object=ada'");
  auto options = std::make_shared<commands::PublishOptions>();
  signing_options(verb, options->certificate, options->key);
  duration(verb, "--lifetime", options->lifetime, "How long the catalogue holds, at most 90d (default: 28d)");
  verb->add_option("--epoch", options->epoch, "Start of a new era after a compromise; never lower than before")
      ->check(CLI::PositiveNumber);
  chooses(verb, choice, Access::write, options, commands::publish);
}

}  // namespace

void define_image_verbs(CLI::App& app, Choice& choice) {
  define_init(app, choice);
  define_add(app, choice);
  define_swarm_ca(app, choice);
  define_looking(app, choice);
  define_changing(app, choice);
  define_endorse(app, choice);
  define_publish(app, choice);
  define_rollback(app, choice);
}

}  // namespace imageswarm::indexer
