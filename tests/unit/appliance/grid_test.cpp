#include "daemon/appliance/grid.hpp"

#include <catch2/catch.hpp>
#include <filesystem>

#include "common/base/file.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace imageswarm;
using namespace imageswarm::appliance;
using namespace imageswarm::test;
using Catch::Matchers::Contains;

namespace {

namespace fs = std::filesystem;

class Tree {
public:
  Tree& file(std::string const& name, std::string const& content) {
    auto const path = folder_ / name;
    REQUIRE(make_directories(path.parent_path()));
    REQUIRE(write_file_atomically(path, content));
    return *this;
  }
  fs::path operator/(std::string const& name) const { return folder_ / name; }
  Result<Grid> read(std::string const& name = "g") const { return read_grid(folder_.path(), name); }
  std::string refusal() const {
    auto const grid = read();
    return grid ? "none" : grid.error().line();
  }

private:
  TemporaryDirectory folder_;
};

}  // namespace

TEST_CASE("a grid is read as it stands in its folder", "[appliance]") {
  Tree tree;
  tree.file("g/node/component.yaml",
            "image: worker@2\nform: disk\nneeds: [head]\nsinks: [mysite]\nvalues: {net.hostname: wn1, slots: 4}\n")
      .file("g/head/component.yaml", "image: worker\n")
      .file("g/head/install/b.sh", "two")
      .file("g/head/install/a.sh", "one")
      .file("g/head/config/c", "three");
  auto const grid = tree.read();
  REQUIRE(grid);
  REQUIRE(grid->components.size() == 2);
  auto const &head = grid->components[0], &node = grid->components[1];
  CHECK(head.name == "head");
  CHECK(head.form == image::OvaOrder::Form::ova);
  CHECK(node.image == "worker@2");
  CHECK(node.form == image::OvaOrder::Form::disk);
  CHECK(node.values == std::map<std::string, std::string>{{"net.hostname", "wn1"}, {"slots", "4"}});
  CHECK(node.sinks == std::vector<std::string>{"mysite"});
  auto const files = files_of(head);
  REQUIRE(files);
  std::string all;
  for (auto const& file : *files) all += file.name + "=" + file.content + " ";
  CHECK(all == "config/c=three install/a.sh=one install/b.sh=two ");
  CHECK(files_of(node)->empty());
}

TEST_CASE("what is not understood in a grid is refused", "[appliance]") {
  Tree tree;
  tree.file("g/a/component.yaml", "image: x\n");
  REQUIRE(tree.refusal() == "none");
  SECTION("an unknown key") {
    tree.file("g/a/component.yaml", "image: x\nimages: y\n");
    CHECK_THAT(tree.refusal(), Contains("config-unknown-key") && Contains("images"));
  }
  SECTION("no image") {
    tree.file("g/a/component.yaml", "form: ova\n");
    CHECK_THAT(tree.refusal(), Contains("config-value") && Contains("image"));
  }
  SECTION("values that are no map of texts") {
    tree.file("g/a/component.yaml", "image: x\nvalues: {a: [b]}\n");
    CHECK_THAT(tree.refusal(), Contains("config-value"));
  }
  SECTION("a component without a description") {
    fs::create_directory(tree / "g/b");
    CHECK_THAT(tree.refusal(), Contains("not-found"));
  }
  SECTION("a file beside the components") {
    tree.file("g/notes", "x");
    CHECK_THAT(tree.refusal(), Contains("not a folder"));
  }
  SECTION("an unknown folder") {
    tree.file("g/a/setup/x", "x");
    CHECK_THAT(tree.refusal(), Contains("setup is unknown"));
  }
  SECTION("a link in the place of a component") {
    fs::create_directory_symlink("/etc", tree / "g/b");
    CHECK_THAT(tree.refusal(), Contains("not a folder"));
  }
  SECTION("a link in the place of a description") {
    tree.file("elsewhere", "image: x\n");
    fs::create_directory(tree / "g/b");
    fs::create_symlink(tree / "elsewhere", tree / "g/b/component.yaml");
    CHECK_THAT(tree.refusal(), Contains("not a plain file"));
  }
  SECTION("a name that no archive takes") {
    tree.file("g/a b/component.yaml", "image: x\n");
    CHECK_THAT(tree.refusal(), Contains("other characters"));
  }
}

TEST_CASE("the name of a grid leads nowhere else", "[appliance]") {
  Tree tree;
  tree.file("g/a/component.yaml", "image: x\n");
  for (auto const* const name : {"", ".", "..", "g/a", "/etc", "../g"}) {
    INFO(name);
    auto const grid = tree.read(name);
    REQUIRE_FALSE(grid);
    CHECK(grid.error().fault == Fault::usage);
  }
  CHECK(tree.read("other").error().fault == Fault::not_found);
}

TEST_CASE("only plain files with content go into an appliance", "[appliance]") {
  Tree tree;
  tree.file("g/a/component.yaml", "image: x\n").file("g/a/install/good", "x");
  auto const refused = [&tree] {
    auto const grid = tree.read();
    REQUIRE(grid);
    return !files_of(grid->components.front()).has_value();
  };
  REQUIRE_FALSE(refused());
  SECTION("a link") {
    fs::create_symlink("/etc/hostname", tree / "g/a/install/link");
    CHECK(refused());
  }
  SECTION("a folder in a folder") {
    fs::create_directory(tree / "g/a/install/more");
    CHECK(refused());
  }
  SECTION("an empty file") {
    tree.file("g/a/install/empty", "");
    CHECK(refused());
  }
  SECTION("a link to a folder of files") {
    fs::create_directory_symlink(tree / "g/a/install", tree / "g/a/config");
    CHECK(refused());
  }
  SECTION("too much of it") {
    tree.file("g/a/install/large", std::string(image::max_order_files.value, 'x'));
    CHECK(refused());
  }
}
