#include "common/image/inspector_process.hpp"

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/unit/image/builders.hpp"

using namespace imageswarm;
using namespace imageswarm::image;
using namespace imageswarm::image::test;
using namespace std::chrono_literals;

namespace {

/// A helper that is taken over by the image it read: a script that says what the attacker wants.
class FakeHelper {
public:
  explicit FakeHelper(std::string const& script) {
    char pattern[] = "/tmp/imageswarm-test.XXXXXX";
    directory_ = ::mkdtemp(pattern);
    REQUIRE(write_file_atomically(program(), "#!/bin/sh\n" + script + "\n", 0755));
  }
  ~FakeHelper() { std::filesystem::remove_all(directory_); }
  std::filesystem::path program() const { return directory_ / "helper"; }

  Result<Inspection> run(std::chrono::seconds patience = 60s) {
    auto const sink = [this](std::span<std::byte const> data) -> Result<> {
      received.append(reinterpret_cast<char const*>(data.data()), data.size());
      return {};
    };
    return run_inspector({program(), document::Compression::gzip, {100}, {5}, patience}, file_of("artefact"),
                         [](Inspection const&) { return Result<>{}; }, sink, {});
  }
  std::string received;

private:
  std::filesystem::path directory_;
};

}  // namespace

TEST_CASE("a helper that keeps to the protocol is believed", "[image][process]") {
  FakeHelper helper{R"(echo "image raw bare 5 none" >&3; printf hello; echo end >&3)"};
  auto const found = helper.run();
  REQUIRE(word_of(found) == "");
  CHECK(found->disk_format == "raw");
  CHECK(helper.received == "hello");
}

TEST_CASE("a fault that the helper names is passed on, made printable", "[image][process]") {
  auto const result = FakeHelper{R"(printf 'fault image-corrupt the \033[31m disk\n' >&3)"}.run();
  REQUIRE(word_of(result) == "image-corrupt");
  CHECK(result.error().what == R"(the \x1b[31m disk)");
}

TEST_CASE("a helper that lies is caught", "[image][process]") {
  struct {
    std::string name, script, expected;
  } const lies[] = {
      {"says nothing", "exit 0", "inspector-crash"},
      {"fails", "exit 3", "inspector-crash"},
      {"dies", "kill -SEGV $$", "inspector-crash"},
      {"content without a verdict", "printf hello", "inspector-crash"},
      {"an end without a verdict", "echo end >&3", "inspector-crash"},
      {"content that is too long", R"(echo "image raw bare 5 none" >&3; printf hello!; echo end >&3)", "bomb"},
      {"endless content", R"(echo "image raw bare 5 none" >&3; exec cat /dev/zero)", "bomb"},
      {"content that is too short", R"(echo "image raw bare 5 none" >&3; printf hell; echo end >&3)",
       "inspector-crash"},
      {"no end", R"(echo "image raw bare 5 none" >&3; printf hello)", "inspector-crash"},
      {"a fault in the end", R"(echo "image raw bare 5 none" >&3; printf hello; echo "fault bomb x" >&3)", "bomb"},
      {"two verdicts", R"(echo "image raw bare 5 none" >&3; printf hello; echo "image raw bare 5 none" >&3)",
       "inspector-crash"},
      {"endless talk", "exec cat /dev/zero >&3", "inspector-crash"},
      {"an end and then a failure", R"(echo "image raw bare 5 none" >&3; printf hello; echo end >&3; exit 3)",
       "inspector-crash"},
      {"an end and then a crash", R"(echo "image raw bare 5 none" >&3; printf hello; echo end >&3; kill -SEGV $$)",
       "inspector-crash"},
      {"talk after the end", R"(echo "image raw bare 5 none" >&3; printf hello; printf 'end\nend\n' >&3)",
       "inspector-crash"},
      {"a line without an end", "printf end >&3", "inspector-crash"},
  };
  for (auto const& lie : lies) {
    INFO(lie.name);
    FakeHelper helper{lie.script};
    CHECK(word_of(helper.run()) == lie.expected);
    CHECK(helper.received.size() <= 5);
  }
}

TEST_CASE("a helper that hangs is killed in time", "[image][process]") {
  FakeHelper helper{"exec sleep 1000"};
  auto const result = helper.run(0s);
  REQUIRE(word_of(result) == "inspector-crash");
  CHECK_THAT(result.error().what, Catch::Contains("too long"));
}

TEST_CASE("a helper that is missing is a refusal, not a crash of ours", "[image][process]") {
  auto const result = run_inspector(
      {"/nonexistent", document::Compression::none, {1}, {1}, 10s}, file_of("x"),
      [](Inspection const&) { return Result<>{}; }, [](std::span<std::byte const>) { return Result<>{}; }, {});
  CHECK(word_of(result) == "inspector-crash");
}

TEST_CASE("lines that are not exactly of the protocol are refused", "[image][process]") {
  CHECK(parse_verdict("end"));
  CHECK(parse_verdict("image qcow2 bare 68719476736 unknown"));
  CHECK(parse_verdict("fault image-table it is outside"));
  constexpr std::string_view lines[] = {"",
                                        "End",
                                        "end ",
                                        "image",
                                        "image raw",
                                        "image raw bare",
                                        "image raw bare 5",
                                        "image vdi bare 5 none",
                                        "image raw ovf 5 none",
                                        "image raw 5 none",
                                        "image raw bare 0 none",
                                        "image raw bare -1 none",
                                        "image raw bare 05 none",
                                        "image raw bare 5 none ",
                                        "image raw bare 70368744177665 none",
                                        "image  raw bare 5 none",
                                        "image raw bare 5 many",
                                        "image raw bare 5 none none",
                                        "fault",
                                        "fault ",
                                        "fault nonsense x",
                                        "fault sig-invalid x",
                                        "fault image-table",
                                        "verdict raw 5"};
  for (auto const line : lines) {
    INFO(line);
    CHECK(word_of(parse_verdict(line)) == "inspector-crash");
  }
}
