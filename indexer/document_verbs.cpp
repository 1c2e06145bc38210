#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "indexer/commands/sign.hpp"
#include "indexer/commands/verify.hpp"
#include "indexer/verb_options.hpp"
#include "indexer/verbs.hpp"

namespace imageswarm::indexer {
namespace {

using commands::Context;

void define_verify(CLI::App& app, Choice& choice) {
  auto* verb =
      new_verb(app, "verify", "Verify any signed document; say who signed it and until when it holds",
               "  imageswarm-index verify public/catalogue.yaml --anchors /etc/grid-security/certificates\n"
               "  imageswarm-index verify https://images.example.org/catalogue.yaml --anchors ca.pem --crl off \\\n"
               "      --subject 'CN=Ada Endorser,O=Example'");
  auto options = std::make_shared<commands::VerifyOptions>();
  verb->add_option("FILE|URL", options->source, "The document")->required();
  anchor_options(verb, options->anchors)->required();
  signer_options(verb, options->subject, options->issuer);
  verb->callback([&choice, options] {
    choice.verb = [options](Context& context) { return commands::verify(*options, context); };
  });
}

void define_sign(CLI::App& app, Choice& choice) {
  auto* verb = new_verb(app, "sign", "Sign an approval or endorser list: sets serial, issued and expires",
                        "  imageswarm-index sign approvals.yaml --certificate cert.pem --key key.pem \\\n"
                        "      --output /srv/www/approvals.yaml");
  auto options = std::make_shared<commands::SignOptions>();
  verb->add_option("FILE", options->list, "The list, not signed")->required();
  signing_options(verb, options->certificate, options->key);
  verb->add_option("--output", options->output, "Where the signed document goes")->required();
  duration(verb, "--lifetime", options->lifetime, "How long it holds, at most 90d (default: 28d)");
  verb->callback(
      [&choice, options] { choice.verb = [options](Context& context) { return commands::sign(*options, context); }; });
}

}  // namespace

void define_document_verbs(CLI::App& app, Choice& choice) {
  define_verify(app, choice);
  define_sign(app, choice);
}

}  // namespace imageswarm::indexer
