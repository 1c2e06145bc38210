#include "indexer/exchange/json.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "common/base/text.hpp"

namespace imageswarm::exchange {
namespace {

using nlohmann::json;

/// Puts the value together from what the parser meets; `false` ends the parsing.
class Builder final : public nlohmann::json_sax<json> {
public:
  explicit Builder(yaml::Limits const& limits) : limits_{limits} {}

  Result<yaml::Value> outcome() {
    if (problem_) return fail(std::move(*problem_));
    return std::move(top_);
  }

  bool null() override { return put({}); }
  bool boolean(bool value) override { return put({value ? "true" : "false"}); }
  bool number_integer(std::int64_t value) override { return put({std::to_string(value)}); }
  bool number_unsigned(std::uint64_t value) override { return put({std::to_string(value)}); }
  bool number_float(double, std::string const& written) override { return put({written}); }
  bool string(std::string& value) override { return put({std::move(value)}); }
  bool binary(json::binary_t&) override { return false; }  // JSON has none
  bool start_object(std::size_t) override { return open({yaml::Value::Map{}}); }
  bool start_array(std::size_t) override { return open({yaml::Value::List{}}); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string& name) override {
    if (!open_.back().keys.insert(name).second) return refuse("the key '{}' stands twice in one object", name);
    open_.back().key = name;
    return true;
  }

  bool parse_error(std::size_t position, std::string const&, json::exception const&) override {
    return refuse("it is not JSON in UTF-8: something is wrong at byte {}", position);
  }

private:
  /// An object or a list whose end has not come yet.
  struct Open {
    yaml::Value value;
    std::string key = {};
    std::set<std::string> keys = {};
  };

  template <class... Args>
  bool refuse(fmt::format_string<Args...> text, Args&&... args) {
    problem_ = Error{Fault::import_format, printable(fmt::format(text, std::forward<Args>(args)...))};
    return false;
  }

  bool open(yaml::Value value) {
    if (open_.size() == limits_.depth) return refuse("it is nested deeper than {}", limits_.depth);
    open_.push_back({std::move(value)});
    return true;
  }

  bool close() {
    auto value = std::move(open_.back().value);
    open_.pop_back();
    return put(std::move(value));
  }

  bool put(yaml::Value value) {
    if (++nodes_ > limits_.nodes) return refuse("it has more than {} values", limits_.nodes);
    if (open_.empty()) {
      top_ = std::move(value);
    } else if (auto& parent = open_.back(); parent.value.is_map()) {
      std::get<yaml::Value::Map>(parent.value.node).push_back({parent.key, std::move(value)});
    } else {
      std::get<yaml::Value::List>(parent.value.node).push_back(std::move(value));
    }
    return true;
  }

  yaml::Limits limits_;
  std::size_t nodes_ = 0;
  std::vector<Open> open_;
  yaml::Value top_;
  std::optional<Error> problem_;
};

}  // namespace

Result<yaml::Value> parse_json(std::string_view text, yaml::Limits const& limits) {
  if (text.size() > limits.size.value) return fail(Fault::too_large, "it is larger than {}", human(limits.size));
  // The parser takes a NUL for the end, whatever follows it.
  if (text.find('\0') != text.npos) return fail(Fault::import_format, "it is not JSON: it holds a NUL");
  Builder builder{limits};
  json::sax_parse(text, &builder);
  return builder.outcome();
}

}  // namespace imageswarm::exchange
