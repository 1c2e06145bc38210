#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "indexer/commands/export.hpp"
#include "indexer/commands/import.hpp"
#include "indexer/verb_options.hpp"
#include "indexer/verbs.hpp"

namespace imageswarm::indexer {
namespace {

CLI::Option* word_option(CLI::App* verb, std::string const& name, std::string& value,
                         std::vector<std::string> const& words, std::string const& help) {
  return verb->add_option(name, value, help)->check(CLI::IsMember(words).description(""))->type_name("WORD");
}

void stream_options(CLI::App* verb, commands::ImportOptions& options) {
  auto& filter = options.streams;
  verb->add_option("--keyring", options.keyring, "simplestreams: keys that may have signed it, as gpgv reads them");
  verb->add_option("--mirror", options.mirror,
                   "simplestreams: the mirror's root (default: what is before streams/v1/)");
  verb->add_option("--content-id", options.content_id, "simplestreams: which content of an index");
  verb->add_option("--product", filter.product, "simplestreams: name of a product, with * and ?");
  verb->add_option("--arch", filter.architecture, "simplestreams: architecture, amd64 or x86_64");
  verb->add_option("--release", filter.release, "simplestreams: release or version of the system");
  verb->add_option("--max", filter.newest, "simplestreams: newest versions of each product (default: 1)")
      ->check(CLI::PositiveNumber);
}

void define_import(CLI::App& app, Choice& choice) {
  auto* verb = new_verb(app, "import", "Take images from a list of another format; they are then managed",
                        "  imageswarm-index import --format hepix https://images.example.org/list.smime \\\n"
                        "      --anchors /etc/grid-security/certificates          # shows what is in it\n"
                        "  imageswarm-index import --format hepix list.smime --anchors ca.pem --all \\\n"
                        "      --subject '/DC=org/DC=example/CN=Ada Endorser' --content /srv/images\n"
                        "  imageswarm-index import --format simplestreams --keyring keys.gpg --arch amd64 \\\n"
                        "      https://cloud-images.example.org/releases/streams/v1/index.sjson --release 24.04 --all");
  auto options = std::make_shared<commands::ImportOptions>();
  verb->add_option("FILE|URL", options->source, "The list")->required();
  word_option(verb, "--format", options->format, {"hepix", "cern", "simplestreams"}, "hepix, cern or simplestreams")
      ->required();
  repeated(verb, "--image", options->images, "Family UUID or name of an image to import (repeat)");
  verb->add_flag("--all", options->all, "Import all images of the list");
  verb->add_option("--content", options->content, "Directory that has the files already (default: they are fetched)");
  word_option(verb, "--compress", options->compress, {"none", "gzip", "xz", "zstd", "bzip2"},
              "none (default), gzip, xz, zstd or bzip2");
  word_option(verb, "--torrent", options->torrent, {"v2", "hybrid"},
              "v2 (default) or hybrid, which older clients read too");
  anchor_options(verb, options->anchors);
  signer_options(verb, options->subject, options->issuer);
  verb->add_flag("--unsigned", options->unsigned_list, "cern: you vouch for a list that nobody has signed");
  stream_options(verb, *options);
  chooses(verb, choice, store::Access::write, options, commands::import_list);
}

void define_export(CLI::App& app, Choice& choice) {
  auto* verb = new_verb(app, "export", "Write what is published in another format",
                        "  imageswarm-index export --format hepix public/list.smime --certificate cert.pem \\\n"
                        "      --key key.pem --base-url https://images.example.org/\n"
                        "  imageswarm-index export --format html /srv/www/images.html");
  auto options = std::make_shared<commands::ExportOptions>();
  verb->add_option("FILE", options->file, "Where it goes")->required();
  word_option(verb, "--format", options->format, {"hepix", "html"}, "hepix or html")->required();
  verb->add_option("--base-url", options->base_url, "hepix: where public/ is served, ending in /");
  verb->add_option("--certificate", options->certificate, "hepix: PEM file, intermediates after the leaf; or pkcs11:…");
  verb->add_option("--key", options->key, "hepix: PEM file; asks for its passphrase");
  duration(verb, "--lifetime", options->lifetime, "hepix: how long the list holds, at most 90d (default: 28d)");
  chooses(verb, choice, store::Access::read, options, commands::export_list);
}

}  // namespace

void define_exchange_verbs(CLI::App& app, Choice& choice) {
  define_import(app, choice);
  define_export(app, choice);
}

}  // namespace imageswarm::indexer
