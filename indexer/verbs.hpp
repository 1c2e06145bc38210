#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "common/base/result.hpp"
#include "indexer/commands/context.hpp"

namespace CLI {
class App;
}

namespace imageswarm::indexer {

/// What the command line chose to be done.
struct Choice {
  std::filesystem::path store{"."};
  bool json = false;
  std::function<bool(std::string const&)> ask;
  std::function<Result<>(commands::Context&)> verb;
};

/// The verbs for images and the store, for approval lists and endorser lists, for signed documents of any kind, and for
/// lists of other formats.
/// `choice` outlives `app`.
void define_image_verbs(CLI::App& app, Choice& choice);
void define_approval_verbs(CLI::App& app, Choice& choice);
void define_endorser_verbs(CLI::App& app, Choice& choice);
void define_document_verbs(CLI::App& app, Choice& choice);
void define_exchange_verbs(CLI::App& app, Choice& choice);

}  // namespace imageswarm::indexer
