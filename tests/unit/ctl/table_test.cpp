#include "daemon/control/ctl/table.hpp"

#include <catch2/catch.hpp>

#include "common/base/text.hpp"

namespace imageswarm::ctl {
namespace {

std::vector<Column> const columns{
    {"NAME", Column::Align::left, true}, {"SIZE", Column::Align::right}, {"ENDORSER", Column::Align::left, true}};
std::vector<Row> const rows{{{{"a"}, {"12"}, {"CN=Ada Endorser,O=Example"}}, {{"a note that is rather long"}}},
                            {{{"a-long-name-indeed"}, {"7"}, {""}}, {}}};

TEST_CASE("columns are as wide as their longest cell, and no line ends in blanks") {
  CHECK(table(columns, rows, {0, 0, true, false}) ==
        "NAME                SIZE  ENDORSER\n"
        "a                     12  CN=Ada Endorser,O=Example\n"
        "  a note that is rather long\n"
        "a-long-name-indeed     7\n");
}

TEST_CASE("where the screen is narrow the last column that may shrink is cut first") {
  CHECK(table(columns, rows, {40, 0, true, false}) ==
        "NAME                SIZE  ENDORSER\n"
        "a                     12  CN=Ada Endors…\n"
        "  a note that is rather long\n"
        "a-long-name-indeed     7\n");
  CHECK(table(columns, rows, {30, 0, true, false}) ==
        "NAME            SIZE  ENDORSER\n"
        "a                 12  CN=Ada …\n"
        "  a note that is rather long\n"
        "a-long-name-i…     7\n");
}

TEST_CASE("no line is wider than the screen, however narrow it is") {
  for (unsigned width = 3; width < 60; ++width) {
    auto const page = table(columns, rows, {width, 0, true, false});
    for (auto const line : split(page, '\n')) {
      INFO(line);
      CHECK(columns_of(line) <= width);
    }
  }
}

}  // namespace
}  // namespace imageswarm::ctl
