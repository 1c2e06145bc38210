#pragma once

#include <functional>
#include <string>

#include "indexer/commands/context.hpp"
#include "indexer/commands/publish.hpp"

namespace imageswarm::commands {

struct RollbackOptions {
  std::string image;
  bool yes = false;
  /// Asks the person; nothing where there is no terminal.
  std::function<bool(std::string const& question)> ask;
  PublishOptions publish;  ///< without a certificate: it is left to the next `publish`
};

/// Withdraws every version of the family that is newer than the image, after they were shown and confirmed; those that
/// were never published leave the store. Publishes at once if a certificate is given.
/// Faults: not-found, usage (nothing is newer; the image itself would not be published or used), cancelled (the answer
/// was no), those of `publish`.
[[nodiscard]] Result<> rollback(RollbackOptions const& options, store::Store& store, Context& context);

}  // namespace imageswarm::commands
