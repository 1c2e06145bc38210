#pragma once

#include <fmt/format.h>

#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/result.hpp"

namespace imageswarm::indexer {

/// Where a command speaks: words for people on `out`; with `--json` the result alone is there and the words go to
/// `err`.
class Output {
public:
  Output(bool json, std::ostream& out, std::ostream& err) : json_{json}, out_{out}, err_{err} {}

  template <class... Args>
  void say(fmt::format_string<Args...> text, Args&&... args) {
    words(fmt::format(text, std::forward<Args>(args)...) + "\n");
  }
  /// Several lines as they are.
  void words(std::string_view text);
  /// The command's result; nothing without `--json`.
  void result(nlohmann::ordered_json const& value);
  /// What a refusal is about: "catalogue (https://…)".
  void about(std::string subject) { subject_ = std::move(subject); }
  /// The one line of a failure, and with `--json` its word and text as an object.
  void failure(Error const& error);
  /// One of several things could not be done; the command goes on and ends as partly done.
  void missing(Error const& error);
  bool partly_done() const { return partly_done_; }

private:
  bool json_;
  std::ostream& out_;
  std::ostream& err_;
  std::string subject_;
  bool partly_done_ = false;
};

}  // namespace imageswarm::indexer
