#include "daemon/control/ctl/table.hpp"

#include <algorithm>
#include <numeric>

namespace imageswarm::ctl {
namespace {

constexpr unsigned gap = 2;
constexpr unsigned narrowest = 8;

std::vector<unsigned> natural_widths(std::vector<Column> const& columns, std::vector<Row> const& rows) {
  std::vector<unsigned> widths;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    auto width = columns_of(columns[i].title);
    for (auto const& row : rows) width = std::max(width, columns_of(row.cells.at(i).text));
    widths.push_back(width);
  }
  return widths;
}

/// Takes from the columns that may shrink, the last one first, until all fit.
void shrink(std::vector<unsigned>& widths, std::vector<Column> const& columns, unsigned room) {
  auto total = std::accumulate(widths.begin(), widths.end(), gap * (static_cast<unsigned>(widths.size()) - 1));
  for (auto i = columns.size(); i-- > 0 && total > room;) {
    if (!columns[i].shrinks || widths[i] <= narrowest) continue;
    auto const less = std::min(total - room, widths[i] - narrowest);
    widths[i] -= less;
    total -= less;
  }
}

std::string line_of(std::vector<Cell> const& cells, std::vector<Column> const& columns,
                    std::vector<unsigned> const& widths, Screen const& screen) {
  std::string line;
  unsigned at = 0;     // column on the screen
  std::string blanks;  // held back, so that no line ends in them
  for (std::size_t i = 0; i < columns.size(); ++i) {
    auto const start = i == 0 ? 0 : at + gap;
    auto const room = screen.width == 0 ? widths[i] : std::min(widths[i], screen.width - std::min(screen.width, start));
    if (room == 0) break;  // narrower than the columns can be: better less than a line that wraps
    auto const text = cut(cells[i].text, room, screen);
    auto const rest = room - columns_of(text);
    bool const right = columns[i].align == Column::Align::right;
    blanks.append(start - at + (right ? rest : 0), ' ');
    if (!text.empty()) {
      line += blanks + coloured(text, cells[i].colour, screen);
      blanks.clear();
    }
    if (!right) blanks.append(rest, ' ');
    at = start + room;
  }
  return line + "\n";
}

}  // namespace

std::string table(std::vector<Column> const& columns, std::vector<Row> const& rows, Screen const& screen) {
  auto widths = natural_widths(columns, rows);
  if (screen.width > 0) shrink(widths, columns, screen.width);
  std::vector<Cell> titles;
  for (auto const& column : columns) titles.push_back({column.title, Colour::strong});
  auto text = line_of(titles, columns, widths, screen);
  for (auto const& row : rows) {
    text += line_of(row.cells, columns, widths, screen);
    for (auto const& note : row.notes) {
      auto const room = screen.width > gap ? screen.width - gap : 0;
      text += std::string(gap, ' ') + coloured(cut(note.text, room, screen), note.colour, screen) + "\n";
    }
  }
  return text;
}

}  // namespace imageswarm::ctl
