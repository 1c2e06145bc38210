#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <sstream>
#include <utility>

#include "common/base/text.hpp"
#include "common/yaml/guard.hpp"
#include "common/yaml/value.hpp"

namespace imageswarm::yaml {
namespace {

/// Carries our error through yaml-cpp, whose events cannot fail otherwise; never leaves this file.
struct Refusal : std::exception {
  explicit Refusal(Error why) : error{std::move(why)} {}
  Error error;
};

std::size_t line_of(YAML::Mark const& mark) {
  return static_cast<std::size_t>(mark.line) + 1;
}

[[noreturn]] void refuse(Fault fault, std::size_t line, std::string_view why) {
  throw Refusal{Error{fault, fmt::format("line {}: {}", line, why)}};
}

/// Builds values from yaml-cpp's events and throws a Refusal at the first that we do not accept.
///
/// yaml-cpp calls before it descends, so refusing depth here also bounds its own recursion.
class Builder final : public YAML::EventHandler {
public:
  Builder(std::string_view bytes, Limits const& limits, std::string_view streamed,
          std::function<Result<>(Value)> const& item)
      : bytes_{bytes}, limits_{limits}, streamed_{streamed}, item_{item} {}

  Value take_root() && { return std::move(root_); }

  void OnDocumentStart(YAML::Mark const& mark) override {
    // yaml-cpp starts another document wherever the first one could end, without a marker too.
    if (std::exchange(begun_, true)) refuse(Fault::yaml_second_document, line_of(mark), "a second document begins");
  }
  void OnDocumentEnd() override {}

  void OnAlias(YAML::Mark const& mark, YAML::anchor_t) override {
    refuse(Fault::yaml_alias, line_of(mark), "aliases are not allowed");
  }
  void OnNull(YAML::Mark const& mark, YAML::anchor_t anchor) override {
    auto const text = null_text(mark);
    // Where there is no token, the mark is that of what comes next, which may be anything.
    if (!text.empty() || anchor != 0) check_properties(mark, "?", anchor);
    if (text.empty()) refuse_gap(mark);
    add({std::string{text}, line_of(mark)}, mark);
  }
  void OnScalar(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor,
                std::string const& value) override {
    check_properties(mark, tag, anchor);
    if (!is_closed(mark)) refuse(Fault::yaml_syntax, line_of(mark), "a quotation mark is not closed");
    // yaml-cpp 0.7 makes single bytes of these two.
    if (!is_utf8(value)) refuse(Fault::yaml_encoding, line_of(mark), "write the character itself, not \\N or \\_");
    add({value, line_of(mark)}, mark);
  }
  void OnSequenceStart(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    check_properties(mark, tag, anchor);
    open({Value::List{}, line_of(mark)}, mark, style);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    check_properties(mark, tag, anchor);
    open({Value::Map{}, line_of(mark)}, mark, style);
  }
  void OnMapEnd() override {
    refuse_duplicates();
    close();
  }

private:
  struct Open {
    Value value;
    YAML::Mark mark;
    bool flow;
    std::optional<Member> member;  ///< of a map: its key was read, its value was not
    int key_at = 0;                ///< position of that key
  };

  char byte_at(YAML::Mark const& mark) const {
    auto const at = static_cast<std::size_t>(mark.pos);
    return at < bytes_.size() ? bytes_[at] : '\0';
  }

  /// yaml-cpp takes the end of the text for the closing quotation mark if a line ends there: a slip would swallow all
  /// rules that follow it.
  bool is_closed(YAML::Mark const& mark) const {
    char const quote = byte_at(mark);
    if (quote != '"' && quote != '\'') return true;
    for (auto at = static_cast<std::size_t>(mark.pos) + 1; at < bytes_.size(); ++at) {
      bool const doubled = quote == '\'' && bytes_.substr(at).starts_with("''");
      if (bytes_[at] == quote && !doubled) return true;
      if (doubled || (quote == '"' && bytes_[at] == '\\')) ++at;
    }
    return false;
  }

  /// Tags and anchors. yaml-cpp reports a lone "!" exactly like a quoted scalar, but nothing else begins with it.
  void check_properties(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor) const {
    if (anchor != 0 || byte_at(mark) == '&') refuse(Fault::yaml_anchor, line_of(mark), "anchors are not allowed");
    if ((tag != "?" && tag != "!") || byte_at(mark) == '!') {
      refuse(Fault::yaml_tag, line_of(mark), "tags are not allowed");
    }
  }

  /// yaml-cpp reports a plain `null` or `~` exactly like an absent scalar; to us it is text. An absent scalar has the
  /// mark of what follows it, which in a block stands no further right than the list or map that the scalar is in.
  std::string_view null_text(YAML::Mark const& mark) const {
    bool const is_key = !open_.empty() && open_.back().value.is_map() && !open_.back().member;
    bool const inside = open_.empty() || open_.back().flow || is_key || mark.column > open_.back().mark.column;
    auto const rest = bytes_.substr(std::min(bytes_.size(), static_cast<std::size_t>(mark.pos)));
    for (std::string_view word : {"~", "null", "Null", "NULL"}) {
      if (inside && rest.starts_with(word)) return word;
    }
    return {};
  }

  /// Gaps that YAML does not allow, though yaml-cpp does: `[a,, b]`, a line in a map with no colon, a value of no key.
  void refuse_gap(YAML::Mark const& mark) const {
    if (open_.empty()) return;
    auto const& top = open_.back();
    if (top.value.is_list() && byte_at(mark) == ',') {
      refuse(Fault::yaml_syntax, line_of(mark), "an item is missing before ','");
    }
    if (top.value.is_map() && !top.member) refuse(Fault::yaml_syntax, line_of(mark), "a key is missing before ':'");
    if (top.value.is_map() && top.key_at == mark.pos) {
      refuse(Fault::yaml_syntax, line_of(mark), fmt::format("no ':' after '{}'", printable(top.member->key)));
    }
  }

  void open(Value value, YAML::Mark const& mark, YAML::EmitterStyle::value style) {
    if (!open_.empty() && open_.back().value.is_map() && !open_.back().member) {
      refuse(Fault::yaml_syntax, line_of(mark), "a key must be text");
    }
    if (open_.size() >= limits_.depth) {
      refuse(Fault::yaml_depth, line_of(mark), fmt::format("more than {} levels", limits_.depth));
    }
    count(mark);
    open_.push_back({std::move(value), mark, style == YAML::EmitterStyle::Flow, {}, 0});
  }

  void close() {
    auto value = std::move(open_.back().value);
    open_.pop_back();
    place(std::move(value));
  }

  void add(Value value, YAML::Mark const& mark) {
    count(mark);
    if (open_.empty() || !open_.back().value.is_map() || open_.back().member) return place(std::move(value));
    if (value.text() == "<<") refuse(Fault::yaml_merge_key, value.line, "merge keys ('<<') are not allowed");
    auto const line = value.line;
    open_.back().member = Member{std::get<std::string>(std::move(value.node)), {}, line};
    open_.back().key_at = mark.pos;
  }

  /// Puts a whole value where it belongs.
  void place(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (auto& top = open_.back(); top.value.is_map()) {
      top.member->value = std::move(value);
      std::get<Value::Map>(top.value.node).push_back(*std::exchange(top.member, std::nullopt));
    } else if (in_streamed()) {
      if (auto taken = item_(std::move(value)); !taken) throw Refusal{std::move(taken.error())};
    } else {
      std::get<Value::List>(top.value.node).push_back(std::move(value));
    }
  }

  bool in_streamed() const {
    return item_ && open_.size() == 2 && open_.front().member && open_.front().member->key == streamed_;
  }

  void count(YAML::Mark const& mark) {
    if (++nodes_ > limits_.nodes) {
      refuse(Fault::yaml_nodes, line_of(mark), fmt::format("more than {} nodes", limits_.nodes));
    }
  }

  /// By sorting, since a map may have a million keys.
  void refuse_duplicates() const {
    std::vector<std::pair<std::string_view, std::size_t>> keys;
    for (auto const& member : open_.back().value.map()) keys.emplace_back(member.key, member.line);
    std::ranges::sort(keys);
    auto const same = std::ranges::adjacent_find(keys, {}, &std::pair<std::string_view, std::size_t>::first);
    if (same == keys.end()) return;
    refuse(Fault::yaml_duplicate_key, std::next(same)->second,
           fmt::format("key '{}' was already given in line {}", printable(same->first), same->second));
  }

  std::string_view bytes_;
  Limits limits_;
  std::string_view streamed_;
  std::function<Result<>(Value)> const& item_;
  Value root_;
  std::vector<Open> open_;
  std::size_t nodes_ = 0;
  bool begun_ = false;
};

Error syntax_error(YAML::Exception const& exception) {
  bool const alias = exception.msg.starts_with(YAML::ErrorMsg::UNKNOWN_ANCHOR);
  auto const fault = alias ? Fault::yaml_alias : Fault::yaml_syntax;
  auto const line = exception.mark.is_null() ? 1 : line_of(exception.mark);
  return {fault, fmt::format("line {}: {}", line, printable(exception.msg))};
}

}  // namespace

Result<Value> parse_streaming(std::string_view bytes, std::string_view streamed, std::function<Result<>(Value)> item,
                              Limits const& limits) {
  if (auto fine = guard(bytes, limits); !fine) return fail(std::move(fine.error()));
  Builder builder{bytes, limits, streamed, item};
  try {
    std::istringstream stream{std::string{bytes}};
    YAML::Parser parser{stream};
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (Refusal& refusal) {
    return fail(std::move(refusal.error));
  } catch (YAML::Exception const& exception) {
    return fail(syntax_error(exception));
  } catch (std::exception const& exception) {
    return fail(Fault::yaml_syntax, "the YAML reader gave up: {}", printable(exception.what()));
  }
  auto root = std::move(builder).take_root();
  if (root.is_empty()) root.node = Value::Map{};
  if (!root.is_map()) return fail(Fault::yaml_syntax, "line {}: the document is not a map of keys", root.line);
  return root;
}

Result<Value> parse(std::string_view bytes, Limits const& limits) {
  return parse_streaming(bytes, {}, {}, limits);
}

}  // namespace imageswarm::yaml
