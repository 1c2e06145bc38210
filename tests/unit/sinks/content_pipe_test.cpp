#include "daemon/sinks/content_pipe.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <thread>

namespace imageswarm::sinks {
namespace {

std::span<std::byte const> bytes(std::string_view text) {
  return std::as_bytes(std::span{text});
}

/// What one pull gives.
Result<std::string> pull(ContentPipe& pipe, std::size_t room, std::stop_token const& stop = {}) {
  std::string text(room, '\0');
  auto const count = pipe.pull(std::as_writable_bytes(std::span{text}), stop);
  if (!count) return fail(count.error());
  return text.substr(0, *count);
}

TEST_CASE("what goes in comes out, in order, whatever the pieces are") {
  ContentPipe pipe;
  REQUIRE(pipe.push(bytes("abc")));
  REQUIRE(pipe.push(bytes("defgh")));
  pipe.finish({});
  CHECK(pull(pipe, 2).value() == "ab");
  CHECK(pull(pipe, 4).value() == "cdef");
  CHECK(pull(pipe, 9).value() == "gh");
  CHECK(pull(pipe, 9).value().empty());
}

TEST_CASE("the last byte is held back until the content was found right") {
  ContentPipe pipe;
  REQUIRE(pipe.push(bytes("abc")));
  CHECK(pull(pipe, 9).value() == "ab");
  std::stop_source stop;
  stop.request_stop();
  CHECK(pull(pipe, 9, stop.get_token()).error().fault == Fault::cancelled);
  pipe.finish({});
  CHECK(pull(pipe, 9).value() == "c");
}

TEST_CASE("content that was found wrong never comes to its end") {
  ContentPipe pipe;
  REQUIRE(pipe.push(bytes("abc")));
  pipe.finish(fail(Fault::hash_mismatch, "no"));
  CHECK(pull(pipe, 9).error().fault == Fault::hash_mismatch);
  CHECK(pipe.failure().value().fault == Fault::hash_mismatch);
}

TEST_CASE("a writer that is ahead waits, and learns when nobody reads any more") {
  ContentPipe pipe;
  std::string const megabyte(1 << 20, 'x');
  std::size_t pushed = 0;
  std::thread writer{[&] {
    while (pipe.push(bytes(megabyte))) ++pushed;
  }};
  for (int i = 0; i < 3; ++i) CHECK(pull(pipe, megabyte.size()));
  pipe.abandon();
  writer.join();
  CHECK(pushed <= 8 + 3 + 1);
  CHECK_FALSE(pipe.failure());
}

}  // namespace
}  // namespace imageswarm::sinks
