#include "daemon/sinks/newest_link.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/support/temporary_directory.hpp"

namespace imageswarm::sinks {
namespace {

namespace fs = std::filesystem;

/// One version of an image, and the file that it is in.
struct Version {
  flow::Want want;
  std::string file;
};

class Example {
public:
  Version version(std::string const& number, std::string const& name = "debian", Uuid family = Uuid{}) {
    Version made;
    made.want.image.image_id = Uuid::random();
    made.want.image.uuid = family;
    made.want.image.name = name;
    made.want.image.version = document::Version::parse(number).value();
    made.file = made.want.image.image_id.text() + ".raw";
    std::ofstream{directory / made.file} << number;
    return made;
  }
  Result<> offer(Version const& version) { return links->offer(version.want, version.file); }
  Result<> withhold(Version const& version) { return links->withhold(version.want, version.file); }
  void restart() { links.emplace(directory); }
  std::string target(std::string const& name = "debian") const {
    return fs::is_symlink(fs::symlink_status(directory / name)) ? fs::read_symlink(directory / name).native() : "";
  }

  test::TemporaryDirectory root;
  fs::path directory = root.path();
  std::optional<NewestLinks> links{directory};
};

TEST_CASE("a link leads to the newest version, in whatever order they come") {
  Example example;
  auto const second = example.version("1.9"), third = example.version("1.10"), first = example.version("1.8");
  REQUIRE(example.offer(second));
  CHECK(example.target() == second.file);
  REQUIRE(example.offer(third));
  CHECK(example.target() == third.file);
  REQUIRE(example.offer(first));
  CHECK(example.target() == third.file);
}

TEST_CASE("when the newest goes the link leads to the next that is there, and goes with the last") {
  Example example;
  auto const first = example.version("1"), second = example.version("2");
  REQUIRE(example.offer(first));
  REQUIRE(example.offer(second));
  REQUIRE(example.withhold(second));  // the file is still there: it is in use
  CHECK(example.target() == first.file);
  REQUIRE(example.withhold(first));
  CHECK(example.target().empty());
}

TEST_CASE("after a start the link stays until its file is known, but not when that is withheld or gone") {
  Example example;
  auto const first = example.version("1"), second = example.version("2");
  REQUIRE(example.offer(second));
  example.restart();
  REQUIRE(example.offer(first));
  CHECK(example.target() == second.file);
  SECTION("withheld") {
    REQUIRE(example.withhold(second));
  }
  SECTION("gone") {
    fs::remove(example.directory / second.file);
    REQUIRE(example.offer(first));
  }
  CHECK(example.target() == first.file);
}

TEST_CASE("what is no link of ours stays under its name, and is a fault") {
  Example example;
  auto const version = example.version("1");
  SECTION("a file") {
    std::ofstream{example.directory / "debian"} << "mine";
  }
  SECTION("a directory") {
    fs::create_directory(example.directory / "debian");
  }
  SECTION("a link elsewhere") {
    fs::create_symlink("/etc/" + version.file, example.directory / "debian");
  }
  SECTION("a link to another name") {
    fs::create_symlink("other.raw", example.directory / "debian");
  }
  auto const type = fs::symlink_status(example.directory / "debian").type();
  CHECK(example.offer(version).error().fault == Fault::exists);
  CHECK(example.withhold(version));
  CHECK(fs::symlink_status(example.directory / "debian").type() == type);
  CHECK(example.target() != version.file);
}

TEST_CASE("a name stays with the family that had it first, until that has no version any more") {
  Example example;
  auto const ours = example.version("1");
  auto const theirs = example.version("9", "debian", Uuid::random());
  REQUIRE(example.offer(ours));
  REQUIRE(example.offer(theirs));
  CHECK(example.target() == ours.file);
  auto const newer = example.version("2");
  REQUIRE(example.offer(newer));
  CHECK(example.target() == newer.file);
  REQUIRE(example.withhold(newer));
  CHECK(example.target() == ours.file);
  example.restart();
  auto const others = example.version("10", "debian", Uuid::random());
  for (auto const* each : {&theirs, &ours, &others}) REQUIRE(example.offer(*each));
  CHECK(example.target() == ours.file);
  REQUIRE(example.withhold(ours));
  CHECK(example.target() == theirs.file);
}

TEST_CASE("an image that was given another name has one link") {
  Example example;
  auto version = example.version("1");
  REQUIRE(example.offer(version));
  version.want.image.name = "bookworm";
  REQUIRE(example.offer(version));
  CHECK(example.target().empty());
  CHECK(example.target("bookworm") == version.file);
}

TEST_CASE("no link takes the name of an image file, or leaves the directory") {
  Example example;
  auto const other = example.version("1");
  auto const name = GENERATE_COPY(other.want.image.image_id.text() + ".qcow2", std::string{"../debian"});
  auto const version = example.version("1", name);
  REQUIRE(example.offer(version));
  REQUIRE(example.withhold(version));
  CHECK(example.target(name).empty());
}

}  // namespace
}  // namespace imageswarm::sinks
