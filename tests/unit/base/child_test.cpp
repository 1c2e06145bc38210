#include "common/base/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <thread>

#include "tests/support/process_gone.hpp"

namespace imageswarm {
namespace {

using namespace std::chrono_literals;

ChildCommand shell(std::string script) {
  return {.argv = {"/bin/sh", "-c", std::move(script)}, .descriptors = {}, .environment = {}};
}

std::string read_all(UniqueFd const& fd) {
  std::string text;
  char buffer[256];
  for (;;) {
    auto const count = ::read(fd.get(), buffer, sizeof buffer);
    if (count <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(count));
  }
}

/// What the script prints.
std::string output_of(ChildCommand command) {
  auto pipe = make_pipe();
  REQUIRE(pipe);
  command.descriptors.emplace_back(pipe->second.get(), 1);
  auto child = Child::start(command);
  REQUIRE(child);
  pipe->second.reset();
  auto text = read_all(pipe->first);
  CHECK(child->wait({}) == 0);
  return text;
}

TEST_CASE("a child's exit status and the signal that ended it are told") {
  CHECK(Child::start(shell("exit 0"))->wait({}) == 0);
  CHECK(Child::start(shell("exit 7"))->wait({}) == 7);
  CHECK(Child::start(shell("kill -TERM $$"))->wait({}) == 128 + SIGTERM);
}

TEST_CASE("with a group of its own a child takes with it what it started") {
  auto command = shell("sleep 1000 >/dev/null & echo $!");
  command.own_group = true;
  CHECK(test::ends(std::stoi(output_of(command))));
}

TEST_CASE("a program that is not there ends with 127") {
  CHECK(Child::start({.argv = {"/nonexistent"}, .descriptors = {}, .environment = {}})->wait({}) == 127);
}

TEST_CASE("a child has the descriptors that it was given, under their numbers, and no others") {
  // Not close-on-exec on purpose, like libtorrent's sockets.
  UniqueFd const ours{::open("/dev/null", O_RDONLY)};
  UniqueFd const high{::fcntl(ours.get(), F_DUPFD, 200)};
  auto command = shell("for n in 0 1 2 3 4 5 6 7 8 9 10 200; do [ -e /proc/$$/fd/$n ] && echo $n; done; exit 0");
  CHECK(output_of(command) == "0\n1\n2\n");
  command.descriptors = {{ours.get(), 5}};
  CHECK(output_of(command) == "0\n1\n2\n5\n");
}

TEST_CASE("descriptors may change places") {
  auto a = make_pipe(), b = make_pipe();
  REQUIRE((a && b));
  auto command = shell("exit 0");
  // Each goes to the number that the other one has here.
  command.argv[2] = fmt::format("echo a >&{}; echo b >&{}", b->second.get(), a->second.get());
  command.descriptors = {{a->second.get(), b->second.get()}, {b->second.get(), a->second.get()}};
  CHECK(Child::start(command)->wait({}) == 0);
  a->second.reset();
  b->second.reset();
  CHECK(read_all(a->first) == "a\n");
  CHECK(read_all(b->first) == "b\n");
}

TEST_CASE("a child's environment is the one that it was given") {
  auto command = shell("echo $SECRET:$GIVEN");
  ::setenv("SECRET", "x", 1);
  command.environment = {"GIVEN=y"};
  CHECK(output_of(command) == ":y\n");
}

TEST_CASE("a child that must stop is killed at once, and one that takes too long at its deadline") {
  std::stop_source stop;
  auto child = Child::start(shell("exec sleep 60"));
  std::jthread const later{[&stop] { stop.request_stop(); }};
  auto const began = std::chrono::steady_clock::now();
  CHECK(child->wait(stop.get_token()).error().fault == Fault::cancelled);
  CHECK(Child::start(shell("exec sleep 60"))->wait({}, 0s).error().fault == Fault::timeout);
  CHECK(std::chrono::steady_clock::now() - began < 5s);
}

TEST_CASE("a child does not outlive its owner") {
  auto pipe = make_pipe();
  auto command = shell("exec sleep 60");
  command.descriptors = {{pipe->second.get(), 1}};
  { auto const child = Child::start(command); }
  pipe->second.reset();
  CHECK(read_all(pipe->first).empty());  // ends only when nobody holds the other end
}

}  // namespace
}  // namespace imageswarm
