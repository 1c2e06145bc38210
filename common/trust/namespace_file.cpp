#include "common/trust/namespace_file.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

#include "common/base/text.hpp"
#include "common/trust/slash_name.hpp"

namespace imageswarm::trust {
namespace {

template <class... Args>
tl::unexpected<Error> bad(fmt::format_string<Args...> text, Args&&... args) {
  return fail(Fault::ca_namespace, text, std::forward<Args>(args)...);
}

struct Line {
  std::size_t number;  ///< of the first of those that a backslash ties together
  std::string text;
};

template <class... Args>
tl::unexpected<Error> bad_line(Line const& line, fmt::format_string<Args...> text, Args&&... args) {
  return bad("line {}: {}", line.number, fmt::format(text, std::forward<Args>(args)...));
}

std::string_view without_comment(std::string_view line) {
  char open = '\0';
  for (std::size_t i = 0; i < line.size(); ++i) {
    char const c = line[i];
    if (open == '"' && c == '\\') {
      ++i;
    } else if (open != '\0') {
      if (c == open) open = '\0';
    } else if (c == '"' || c == '\'') {
      open = c;
    } else if (c == '#') {
      return line.substr(0, i);
    }
  }
  return line;
}

/// The lines that say something: without comments, and with those put together that end in a backslash.
std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  bool goes_on = false;
  std::size_t number = 0;
  for (auto const raw : split(text, '\n')) {
    ++number;
    auto line = trimmed(without_comment(raw));
    bool const only_comment = line.empty() && !trimmed(raw).empty();
    if (goes_on && only_comment) continue;
    if (!goes_on) lines.push_back({number, {}});
    goes_on = line.ends_with('\\');
    if (goes_on) line.remove_suffix(1);
    lines.back().text += line;
    if (goes_on) lines.back().text += ' ';
  }
  std::erase_if(lines, [](Line const& line) { return trimmed(line.text).empty(); });
  return lines;
}

/// The next word, or what stands between quotation marks, where a backslash keeps the character behind it.
/// Nothing at the end or where a quotation mark is not closed.
std::optional<std::string_view> take_word(std::string_view& rest) {
  rest = trimmed(rest);
  bool const quoted = rest.starts_with('"');
  if (quoted) rest.remove_prefix(1);
  std::size_t end = 0;
  while (end < rest.size() && (quoted ? rest[end] != '"' : std::isspace(static_cast<unsigned char>(rest[end])) == 0)) {
    end += quoted && rest[end] == '\\' ? 2 : 1;
  }
  if (quoted ? end >= rest.size() : end == 0) return std::nullopt;
  auto const word = rest.substr(0, end);
  rest.remove_prefix(quoted ? end + 1 : end);
  return word;
}

/// TO Issuer "NAME"|self PERMIT|DENY Subject "PATTERN"
Result<NamespaceRule> parse_statement(Line const& line) {
  std::string_view rest = line.text;
  std::array<std::string_view, 6> words;
  bool complete = true;
  for (auto& word : words) {
    auto const taken = take_word(rest);
    complete = complete && taken;
    word = taken.value_or("");
  }
  auto const is = [&](std::size_t at, std::string_view word) { return lower_case(words.at(at)) == word; };
  if (!complete || !trimmed(rest).empty() || !is(0, "to") || !is(1, "issuer") || !(is(3, "permit") || is(3, "deny")) ||
      !is(4, "subject")) {
    return bad_line(line, "'{}' is not TO Issuer \"NAME\" PERMIT|DENY Subject \"PATTERN\"", printable(line.text));
  }
  auto pattern = NamePattern::from_regex(words[5]);
  if (!pattern) return bad_line(line, "{}", pattern.error().what);
  return NamespaceRule{is(2, "self") ? "" : std::string{words[2]}, is(3, "permit"), std::move(*pattern)};
}

/// What stands behind the two words that a line of an EACL must begin with, without the single quotes around it.
Result<std::string_view> third(Line const& line, std::string_view first, std::string_view second) {
  std::string_view rest = line.text;
  auto const one = take_word(rest), two = take_word(rest);
  rest = trimmed(rest);
  if (one != first || two != second || rest.empty()) {
    return bad_line(line, "'{}' where '{} {} …' is expected", printable(line.text), first, second);
  }
  if (!rest.starts_with('\'')) return rest;
  if (rest.size() < 2 || !rest.ends_with('\'')) return bad_line(line, "a single quote is not closed");
  return trimmed(rest.substr(1, rest.size() - 2));
}

/// Patterns in quotation marks, or a single one without.
Result<std::vector<std::string_view>> patterns_of(Line const& line, std::string_view conditions) {
  if (!conditions.starts_with('"')) return std::vector{conditions};
  std::vector<std::string_view> patterns;
  while (!conditions.empty()) {
    auto const pattern = conditions.starts_with('"') ? take_word(conditions) : std::nullopt;
    if (!pattern) return bad_line(line, "'{}' is not a list of patterns in quotation marks", printable(line.text));
    patterns.push_back(*pattern);
    conditions = trimmed(conditions);
  }
  return patterns;
}

/// access_id_CA X509 'NAME', pos_rights globus CA:sign, cond_subjects globus '"PATTERN" "PATTERN"'
Result<> parse_group(Line const& authority, Line const& rights, Line const& conditions,
                     std::vector<NamespaceRule>& rules) {
  auto const name = third(authority, "access_id_CA", "X509");
  if (!name) return fail(name.error());
  auto const right = third(rights, "pos_rights", "globus");
  if (!right) return fail(right.error());
  if (*right != "CA:sign") return bad_line(rights, "the right is '{}', not CA:sign", printable(*right));
  auto const subjects = third(conditions, "cond_subjects", "globus");
  if (!subjects) return fail(subjects.error());
  auto const patterns = patterns_of(conditions, *subjects);
  if (!patterns) return fail(patterns.error());
  for (auto const text : *patterns) {
    auto pattern = NamePattern::from_glob(text);
    if (!pattern) return bad_line(conditions, "{}", pattern.error().what);
    rules.push_back({std::string{*name}, true, std::move(*pattern)});
  }
  return {};
}

/// POSIX leaves a backslash before other characters undefined: glibc reads `\d` as `d`, `\1` as a back-reference and
/// `\<` as the beginning of a word.
bool is_plain_regex(std::string_view pattern) {
  static constexpr std::string_view escapable = ".[]()*+?{}|^$\\/\"-:,=@&#_ ";
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '{' || static_cast<unsigned char>(pattern[i]) < 0x20) return false;
    if (pattern[i] == '\\' && (++i == pattern.size() || escapable.find(pattern[i]) == escapable.npos)) return false;
  }
  return true;
}

}  // namespace

void NamePattern::Free::operator()(regex_t* regex) const {
  regfree(regex);
  delete regex;
}

Result<NamePattern> NamePattern::from_regex(std::string_view pattern) {
  if (pattern.empty() || !is_plain_regex(pattern)) return bad("the pattern '{}' is not understood", printable(pattern));
  auto regex = std::make_unique<regex_t>();
  auto const whole = "^(" + with_usual_types(pattern) + ")$";
  if (regcomp(regex.get(), whole.c_str(), REG_EXTENDED | REG_NOSUB) != 0) {
    return bad("the pattern '{}' is no regular expression", printable(pattern));
  }
  return NamePattern{std::unique_ptr<regex_t, Free>{regex.release()}};
}

Result<NamePattern> NamePattern::from_glob(std::string_view pattern) {
  static constexpr std::string_view special = ".[]()+{}|^$\\";
  std::string regex;
  for (char const c : pattern) {
    if (c == '*') regex += '.';
    if (special.find(c) != special.npos) regex += '\\';
    regex += c == '?' ? '.' : c;
  }
  return from_regex(regex);
}

bool NamePattern::matches(std::string const& name) const {
  return regexec(regex_.get(), name.c_str(), 0, nullptr, 0) == 0;
}

Result<std::vector<NamespaceRule>> parse_namespaces(std::string_view text) {
  static constexpr std::string_view version = "#NAMESPACES-VERSION:";
  for (auto const line : split(text, '\n')) {
    if (line.starts_with(version) && trimmed(line.substr(version.size())) != "1.0") {
      return bad("its version is '{}', not 1.0", printable(trimmed(line.substr(version.size()))));
    }
  }
  std::vector<NamespaceRule> rules;
  for (auto const& line : lines_of(text)) {
    auto rule = parse_statement(line);
    if (!rule) return fail(std::move(rule.error()));
    rules.push_back(std::move(*rule));
  }
  return rules;
}

Result<std::vector<NamespaceRule>> parse_signing_policy(std::string_view text) {
  auto const lines = lines_of(text);
  std::vector<NamespaceRule> rules;
  for (std::size_t i = 0; i < lines.size(); i += 3) {
    if (lines.size() - i < 3) return bad_line(lines[i], "a group of three lines begins here and is not complete");
    if (auto good = parse_group(lines[i], lines[i + 1], lines[i + 2], rules); !good) return fail(good.error());
  }
  return rules;
}

}  // namespace imageswarm::trust
