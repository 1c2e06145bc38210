#pragma once

#include <string>
#include <vector>

#include "daemon/control/ctl/screen.hpp"

namespace imageswarm::ctl {

struct Column {
  std::string title;
  enum class Align { left, right } align = Align::left;
  bool shrinks = false;  ///< may be cut where the screen is too narrow; the last such column first
};

struct Cell {
  std::string text;  ///< without control characters: what comes from outside has gone through `safe`
  Colour colour = Colour::plain;
};

struct Row {
  std::vector<Cell> cells;
  std::vector<Cell> notes;  ///< lines of their own below it, indented
};

/// Lines of at most the screen's width, as long as the columns that do not shrink leave room; each ends in LF.
std::string table(std::vector<Column> const& columns, std::vector<Row> const& rows, Screen const& screen);

}  // namespace imageswarm::ctl
