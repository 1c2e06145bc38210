#pragma once

#include <string_view>

namespace imageswarm::store {

/// The look of catalogue.html, light or dark as the reader's system is.
inline constexpr std::string_view page_style = R"css(
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5b6577; --line: #dde2ea; --paper: #f6f7f9; --card: #fff;
  --accent: #1f6f5c; --chip: #e8f1ee; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --soft: #98a3b3; --line: #2e3644; --paper: #12161d;
  --card: #1a202a; --accent: #6cc9b0; --chip: #20322f; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2.5rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, "DejaVu Sans", sans-serif; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1.15rem; margin: 0; }
a { color: var(--accent); }
p { margin: .4rem 0; }
.soft { color: var(--soft); }
.facts { display: flex; flex-wrap: wrap; gap: .75rem 2.5rem; margin: 1.25rem 0 0; padding: 1rem 1.25rem;
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.facts div { min-width: 8rem; }
.facts dt { font-size: .8rem; color: var(--soft); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
article { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.1rem 1.25rem;
  margin: 0 0 1rem; }
article header { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .25rem 1rem;
  align-items: baseline; }
.version { color: var(--soft); font-weight: normal; margin-left: .4rem; }
.chips { display: flex; flex-wrap: wrap; gap: .4rem; margin: .6rem 0 .9rem; padding: 0; list-style: none; }
.chips li { background: var(--chip); border-radius: 6px; padding: .1rem .55rem; font-size: .85rem; }
.button { display: inline-block; background: var(--accent); color: var(--card); border-radius: 7px;
  padding: .25rem .85rem; text-decoration: none; font-size: .92rem; margin-right: .8rem; }
.digest { overflow-wrap: anywhere; font-size: .92rem; }
article p > a + .soft { margin-left: .6rem; }
details { margin-top: .8rem; border-top: 1px solid var(--line); padding-top: .6rem; }
summary { cursor: pointer; color: var(--soft); font-size: .92rem; }
table { border-collapse: collapse; width: 100%; margin-top: .5rem; font-size: .9rem; }
th { text-align: left; font-weight: normal; color: var(--soft); padding: .2rem 1rem .2rem 0; vertical-align: top;
  white-space: nowrap; }
td { padding: .2rem 0; overflow-wrap: anywhere; }
code, pre { font: .86em/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .9rem 1.1rem; margin: .5rem 0;
  overflow-x: auto; }
footer { margin-top: 3rem; font-size: .85rem; color: var(--soft); }
)css";

}  // namespace imageswarm::store
