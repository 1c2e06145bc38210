#pragma once

#include <string>
#include <string_view>

namespace imageswarm::ctl {

/// What the place that we write to can show.
struct Screen {
  unsigned width = 0;   ///< columns; 0 = as wide as it gets (not a terminal)
  unsigned height = 0;  ///< lines; 0 = any number
  bool utf8 = false;
  bool colour = false;
};

/// Of a descriptor: its size if it is a terminal, the character set of the locale, colours unless NO_COLOR or a dumb
/// terminal speaks against it (https://no-color.org).
Screen screen_of(int descriptor);

/// Columns that UTF-8 text takes on a terminal.
unsigned columns_of(std::string_view text);

/// Outside text made safe for the screen: no control characters, and plain ASCII where nothing else can be shown.
std::string safe(std::string_view text, Screen const& screen);

/// Cut to `width` columns with an ellipsis at the end; 0 = not cut.
std::string cut(std::string_view text, unsigned width, Screen const& screen);

/// Broken at blanks into lines of at most the screen's width; the second and later ones are indented.
std::string wrapped(std::string_view text, unsigned indent, Screen const& screen);

enum class Colour { plain, strong, good, busy, bad };
std::string coloured(std::string_view text, Colour colour, Screen const& screen);

/// A progress bar of `width` columns for a share from 0 to 1.
std::string bar(double share, unsigned width, Screen const& screen);

}  // namespace imageswarm::ctl
