#include "daemon/exchange/messages.hpp"

#include <catch2/catch.hpp>

namespace imageswarm::exchange {
namespace {

Sha256 digest(char const* text) {
  return digest_of<Sha256>(text);
}

template <class T>
T read_back(T const& message) {
  auto const bytes = encode(message);
  static std::string kept;  // a block points into it
  kept = bytes;
  auto const decoded = decode(kept);
  REQUIRE(decoded);
  REQUIRE(std::holds_alternative<T>(*decoded));
  return std::get<T>(*decoded);
}

TEST_CASE("messages are read as they were written") {
  Claim const one{digest("topic"), 3, (1ull << 53) - 1, digest("document"), {123'456}};
  Claim const other{digest("another"), 1, 1, digest("other bytes"), {1}};
  CHECK(read_back(Claims{{one, other}}).documents == std::vector{one, other});
  CHECK(read_back(Claims{}).documents.empty());

  auto const request = read_back(Request{digest("file"), 0xfedcba98});
  CHECK(request.file == digest("file"));
  CHECK(request.offset == 0xfedcba98);

  std::string const content(block_size.value, 'x');
  auto const block = read_back(Block{digest("file"), 16384, content});
  CHECK(block.file == digest("file"));
  CHECK(block.offset == 16384);
  CHECK(block.bytes == content);
  CHECK(read_back(Lack{digest("file")}).file == digest("file"));
}

TEST_CASE("what is not exactly one message is none") {
  CHECK_FALSE(decode(""));
  CHECK_FALSE(decode(std::string(1, '\0')));
  CHECK_FALSE(decode(std::string(1, '\5')));
  for (auto const& message :
       {encode(Claims{{Claim{}}}), encode(Request{}), encode(Block{{}, 0, "x"}), encode(Lack{})}) {
    CHECK(decode(message));
    CHECK_FALSE(decode(message.substr(0, message.size() - 1)));
  }
  CHECK_FALSE(decode(encode(Claims{{Claim{}}}) + "x"));
  CHECK_FALSE(decode(encode(Request{}) + "x"));
  CHECK_FALSE(decode(encode(Lack{}) + "x"));
}

TEST_CASE("a message has a longest length") {
  std::string const block(block_size.value, 'x');
  CHECK(decode(encode(Block{{}, 0, block})));
  CHECK_FALSE(decode(encode(Block{{}, 0, block + "x"})));

  auto const most = encode(Claims{std::vector<Claim>(max_claims)});
  CHECK(most.size() == max_message);
  CHECK(decode(most));
  CHECK(encode(Claims{std::vector<Claim>(max_claims + 1)}) == most);  // of more nothing is said
  CHECK_FALSE(decode(most + most.substr(1, most.size() / max_claims)));
}

}  // namespace
}  // namespace imageswarm::exchange
