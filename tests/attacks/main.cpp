// Runs the attacks, or those of some kinds, prints how many there were of each kind and how many went wrong, and names
// the wrong ones. Exit status 1 if there are any.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/base/file.hpp"
#include "tests/attacks/attack.hpp"
#include "tests/attacks/run.hpp"

namespace imageswarm::attacks {
namespace {

struct Choice {
  std::vector<std::string> kinds;  ///< none: all
  bool list = false;
  std::string json;  ///< file for the numbers and the wrong ones, as JSON
  std::size_t stride = 1;
  std::size_t seed = 0;

  bool wants(std::string_view kind) const { return kinds.empty() || std::ranges::find(kinds, kind) != kinds.end(); }
};

struct Kind {
  std::string name;
  Table (*attacks)();
};

std::array const kinds{Kind{"document", documents}, Kind{"identity", identities}, Kind{"state", states},
                       Kind{"yaml", yaml_texts},    Kind{"torrent", torrents},    Kind{"image", images},
                       Kind{"archive", archives},   Kind{"http", http_answers}};

Table chosen(Choice const& choice) {
  Table all;
  auto const add = [&](Table attacks) { std::ranges::move(attacks, std::back_inserter(all)); };
  for (auto const& kind : kinds) {
    if (choice.wants(kind.name)) add(kind.attacks());
  }
  if (choice.wants("bytes")) add(changed_bytes(choice.stride, choice.seed));
  return all;
}

struct Count {
  std::string kind;
  std::size_t attacks = 0, wrong = 0;
};

struct Report {
  std::vector<Count> counts;
  nlohmann::json wrong = nlohmann::json::array();
};

Report report_on(Table const& attacks, std::vector<std::string> const& outcomes) {
  Report report;
  for (std::size_t i = 0; i < attacks.size(); ++i) {
    auto const& [kind, name, expected, unused] = attacks[i];
    if (report.counts.empty() || report.counts.back().kind != kind) report.counts.push_back({kind});
    ++report.counts.back().attacks;
    if (outcomes[i] == expected) continue;
    ++report.counts.back().wrong;
    report.wrong.push_back({{"kind", kind}, {"name", name}, {"expected", expected}, {"outcome", outcomes[i]}});
  }
  return report;
}

void print(Report const& report) {
  for (auto const& each : report.wrong) {
    fmt::print("WRONG {}: {}: {} instead of {}\n", each["kind"].get<std::string>(), each["name"].get<std::string>(),
               each["outcome"].get<std::string>(), each["expected"].get<std::string>());
  }
  fmt::print("{:<10} {:>6} {:>6}\n", "kind", "cases", "wrong");
  Count total{"all"};
  for (auto const& [kind, attacks, wrong] : report.counts) {
    fmt::print("{:<10} {:>6} {:>6}\n", kind, attacks, wrong);
    total.attacks += attacks;
    total.wrong += wrong;
  }
  fmt::print("{:<10} {:>6} {:>6}\n", total.kind, total.attacks, total.wrong);
}

Result<> write_json(Report const& report, std::filesystem::path const& file) {
  nlohmann::json counts = nlohmann::json::array();
  for (auto const& [kind, attacks, wrong] : report.counts) {
    counts.push_back({{"kind", kind}, {"cases", attacks}, {"wrong", wrong}});
  }
  return write_file_atomically(file, nlohmann::json{{"kinds", counts}, {"wrong", report.wrong}}.dump(2) + "\n");
}

int main_with(Choice const& choice) {
  auto const attacks = chosen(choice);
  if (choice.list) {
    for (auto const& each : attacks) fmt::print("{:<10} {:<22} {}\n", each.kind, each.expected, each.name);
    return 0;
  }
  auto const report = report_on(attacks, run(attacks));
  print(report);
  if (!choice.json.empty() && !write_json(report, choice.json)) return 1;
  return report.wrong.empty() && !attacks.empty() ? 0 : 1;
}

}  // namespace
}  // namespace imageswarm::attacks

int main(int argc, char** argv) {
  imageswarm::attacks::Choice choice;
  CLI::App app{"Runs attacks on the parts of Imageswarm that decide what is trusted and safe."};
  app.add_option("--kind", choice.kinds, "only these: document, identity, …, bytes");
  app.add_flag("--list", choice.list, "print the attacks and the words they must end in; run nothing");
  app.add_option("--json", choice.json, "write the numbers and the wrong ones to this file, as JSON");
  app.add_option("--stride", choice.stride, "kind bytes: change only every N-th byte")->check(CLI::PositiveNumber);
  app.add_option("--seed", choice.seed, "kind bytes: where to begin");
  CLI11_PARSE(app, argc, argv);
  return imageswarm::attacks::main_with(choice);
}
