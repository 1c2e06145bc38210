#include "common/torrent/bencode.hpp"

#include <charconv>

namespace imageswarm::torrent {
namespace {

constexpr int max_depth = 8;

class Decoder {
public:
  Decoder(std::string_view bytes, std::size_t most_values) : bytes_{bytes}, values_left_{most_values} {}

  Result<Bencoded> document() {
    auto root = value(1);
    if (root && at_ != bytes_.size()) return wrong("bytes behind the end");
    return root;
  }

private:
  Result<Bencoded> value(int depth) {
    if (depth > max_depth) return wrong("too deeply nested");
    if (values_left_-- == 0) return wrong("too many values");
    auto const start = at_;
    auto inner = inner_value(depth);
    if (!inner) return fail(std::move(inner.error()));
    return Bencoded{bytes_.substr(start, at_ - start), std::move(*inner)};
  }

  using Inner = decltype(Bencoded::value);

  Result<Inner> inner_value(int depth) {
    if (at_ == bytes_.size()) return wrong("cut off");
    switch (bytes_[at_]) {
      case 'i':
        ++at_;
        return number('e').map([](std::int64_t n) { return Inner{n}; });
      case 'l':
        ++at_;
        return list(depth);
      case 'd':
        ++at_;
        return map(depth);
      default:
        return text().map([](std::string_view t) { return Inner{t}; });
    }
  }

  Result<Inner> list(int depth) {
    Bencoded::List list;
    while (!ends()) {
      auto member = value(depth + 1);
      if (!member) return fail(std::move(member.error()));
      list.push_back(std::move(*member));
    }
    return Inner{std::move(list)};
  }

  Result<Inner> map(int depth) {
    Bencoded::Map map;
    while (!ends()) {
      auto const key = text();
      if (!key) return fail(key.error());
      if (!map.empty() && *key <= map.rbegin()->first) return wrong("keys not sorted or not unique");
      auto member = value(depth + 1);
      if (!member) return fail(std::move(member.error()));
      map.emplace_hint(map.end(), *key, std::move(*member));
    }
    return Inner{std::move(map)};
  }

  Result<std::string_view> text() {
    auto const length = number(':');
    if (!length) return fail(length.error());
    if (*length < 0 || static_cast<std::uint64_t>(*length) > bytes_.size() - at_) return wrong("cut off");
    auto const text = bytes_.substr(at_, static_cast<std::size_t>(*length));
    at_ += text.size();
    return text;
  }

  Result<std::int64_t> number(char terminator) {
    auto const end = bytes_.find(terminator, at_);
    auto const digits = bytes_.substr(at_, end == bytes_.npos ? 0 : end - at_);
    std::int64_t number = 0;
    auto const [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    // Written back it must be the same: no leading zeros, no "-0".
    if (error != std::errc{} || rest != digits.data() + digits.size() || std::to_string(number) != digits) {
      return wrong("not a canonical number");
    }
    at_ = end + 1;
    return number;
  }

  bool ends() {
    bool const end = at_ < bytes_.size() && bytes_[at_] == 'e';
    if (end) ++at_;
    return end;
  }

  tl::unexpected<Error> wrong(std::string_view why) const {
    return fail(Fault::torrent_syntax, "the torrent is not canonical bencoding: {} at byte {}", why, at_);
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  std::size_t values_left_;
};

}  // namespace

Bencoded const* Bencoded::find(std::string_view key) const {
  if (!map()) return nullptr;
  auto const found = map()->find(key);
  return found == map()->end() ? nullptr : &found->second;
}

std::string_view const* Bencoded::text(std::string_view key) const {
  auto const* found = find(key);
  return found ? std::get_if<std::string_view>(&found->value) : nullptr;
}

std::int64_t const* Bencoded::integer(std::string_view key) const {
  auto const* found = find(key);
  return found ? std::get_if<std::int64_t>(&found->value) : nullptr;
}

Result<Bencoded> decode(std::string_view bytes, std::size_t most_values) {
  return Decoder{bytes, most_values}.document();
}

std::string encode(std::string_view text) {
  return fmt::format("{}:{}", text.size(), text);
}

std::string encode(std::int64_t number) {
  return fmt::format("i{}e", number);
}

}  // namespace imageswarm::torrent
