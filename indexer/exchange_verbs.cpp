#include <CLI/CLI.hpp>
#include <memory>

#include "indexer/commands/import.hpp"
#include "indexer/verb_options.hpp"
#include "indexer/verbs.hpp"

namespace imageswarm::indexer {
namespace {

void define_import(CLI::App& app, Choice& choice) {
  auto* verb = new_verb(app, "import", "Take images from a list of another format; they are then managed",
                        "  imageswarm-index import --format hepix https://images.example.org/list.smime \\\n"
                        "      --anchors /etc/grid-security/certificates          # shows what is in it\n"
                        "  imageswarm-index import --format hepix list.smime --anchors ca.pem --all \\\n"
                        "      --subject '/DC=org/DC=example/CN=Ada Endorser' --content /srv/images");
  auto options = std::make_shared<commands::ImportOptions>();
  verb->add_option("FILE|URL", options->source, "The list")->required();
  verb->add_option("--format", options->format, "hepix")
      ->required()
      ->check(CLI::IsMember({"hepix"}).description(""))
      ->type_name("WORD");
  repeated(verb, "--image", options->images, "Family UUID or name of an image to import (repeat)");
  verb->add_flag("--all", options->all, "Import all images of the list");
  verb->add_option("--content", options->content, "Directory that has the files already (default: they are fetched)");
  verb->add_option("--compress", options->compress, "none (default), gzip, xz, zstd or bzip2");
  verb->add_option("--torrent", options->torrent, "v2 (default) or hybrid, which older clients read too");
  anchor_options(verb, options->anchors);
  signer_options(verb, options->subject, options->issuer);
  chooses(verb, choice, store::Access::write, options, commands::import);
}

}  // namespace

void define_exchange_verbs(CLI::App& app, Choice& choice) {
  define_import(app, choice);
}

}  // namespace imageswarm::indexer
