#include "common/base/fault.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <regex>
#include <set>
#include <string>

namespace imageswarm {
namespace {

/// The words in the first column of the tables of docs/faults.md.
std::set<std::string> documented_words() {
  std::ifstream file{std::string{IMAGESWARM_SOURCE_DIR} + "/docs/faults.md"};
  std::set<std::string> words;
  std::regex const row{R"(^\| `([a-z0-9-]+)` \|.*)"};
  std::smatch match;
  for (std::string line; std::getline(file, line);) {
    if (std::regex_match(line, match, row)) words.insert(match[1]);
  }
  return words;
}

TEST_CASE("every fault word has its line in docs/faults.md, and no other word has one") {
  std::set<std::string> words;
  for (Fault fault : all_faults()) words.emplace(word(fault));
  CHECK(documented_words() == words);
}

TEST_CASE("a word leads back to its fault") {
  for (Fault fault : all_faults()) CHECK(fault_of(word(fault)) == fault);
  CHECK_FALSE(fault_of("no-such-fault"));
}

TEST_CASE("the class of a fault gives the exit status") {
  CHECK(exit_status(Fault::config_unknown_key) == 2);
  CHECK(exit_status(Fault::serial_rollback) == 3);
  CHECK(exit_status(Fault::disk_full) == 1);
}

}  // namespace
}  // namespace imageswarm
