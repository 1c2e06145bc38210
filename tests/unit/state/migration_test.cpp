#include <sqlite3.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "common/base/file.hpp"
#include "daemon/state/state.hpp"
#include "tests/support/sample_want.hpp"
#include "tests/support/temporary_directory.hpp"

namespace imageswarm::state {
namespace {

using Catch::Matchers::Contains;
using test::TemporaryDirectory;

void run_sql(std::filesystem::path const& file, std::string const& sql) {
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &handle) == SQLITE_OK);
  CHECK(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(handle);
}

/// A state file as that schema version wrote it: tests/data/state is never regenerated.
std::filesystem::path written_by(int version, TemporaryDirectory const& directory) {
  auto const script =
      std::string{IMAGESWARM_SOURCE_DIR} + "/tests/data/state/version-" + std::to_string(version) + ".sql";
  run_sql(directory / "state.db", read_file(script, 1_MiB).value());
  return directory / "state.db";
}

TEST_CASE("what a released version wrote is read with nothing lost") {
  TemporaryDirectory const directory;
  auto const state = State::open(written_by(1, directory));
  REQUIRE(state);
  auto const want = test::sample_want();

  auto const documents = state->documents();
  REQUIRE(documents);
  REQUIRE(documents->size() == 1);
  CHECK(documents->front().key == trust::DocumentKey{document::Kind::catalogue, "lxcloud", want.endorser.text()});
  CHECK(documents->front().floor.serial == 42);
  CHECK(documents->front().bytes == "document: catalogue\n");
  CHECK(state->time_floor() == parse_time("2040-01-01T00:00:00Z").value());

  auto const held = state->held();
  REQUIRE(held);
  REQUIRE(held->size() == 1);
  CHECK(held->front().want.image.image_id == want.image.image_id);
  CHECK(held->front().want.endorser.same_identity(want.endorser));
  CHECK(held->front().artefact == "/var/lib/imageswarm/artefacts/a.qcow2");
  CHECK(held->front().in_place);
  CHECK(held->front().whole);

  auto const receipts = state->receipts();
  REQUIRE(receipts);
  REQUIRE(receipts->size() == 1);
  CHECK(receipts->front().image_id == want.image.image_id);
  CHECK(receipts->front().provenance.approval == "policy all");
  CHECK(receipts->front().compared.empty());
  CHECK(state->departures()->empty());
}

TEST_CASE("a state of a newer version is refused and left as it is") {
  TemporaryDirectory const directory;
  auto const file = written_by(1, directory);
  run_sql(file, "pragma user_version = 1000");
  auto const state = State::open(file);
  REQUIRE_FALSE(state);
  CHECK(state.error().fault == Fault::state_newer);
  CHECK_THAT(state.error().what, Contains("1000"));
}

TEST_CASE("another program's database is refused") {
  TemporaryDirectory const directory;
  run_sql(directory / "state.db", "create table bookmarks (url text)");
  auto const state = State::open(directory / "state.db");
  REQUIRE_FALSE(state);
  CHECK(state.error().fault == Fault::state_corrupt);
  CHECK_THAT(state.error().what, Contains("not a state file of imageswarmd"));
}

TEST_CASE("a row that nobody wrote is not skipped silently") {
  TemporaryDirectory const directory;
  auto const file = written_by(1, directory);
  run_sql(file, "update receipt set content_sha256 = 'no digest'; update held set want = 'image: {}';");
  auto const state = State::open(file);
  REQUIRE(state);
  CHECK(state->receipts().error().fault == Fault::state_corrupt);
  CHECK(state->held().error().fault == Fault::state_corrupt);
}

TEST_CASE("both documents of an equivocation are kept, and no more than eight of them") {
  TemporaryDirectory const directory;
  auto const file = written_by(1, directory);
  {
    auto state = State::open(file);
    REQUIRE(state);
    auto const document = state->documents()->front();
    for (int i = 0; i < 20; ++i) {
      auto const other = "other bytes " + std::to_string(i / 2);
      auto const kept =
          state->keep_evidence(document.key, "https://mirror.example.org/catalogue.yaml", other, document.accepted);
      REQUIRE(kept);
      CHECK(kept->has_value() == (i < 16 && i % 2 == 0));
    }
  }
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &handle) == SQLITE_OK);
  std::string rows;
  sqlite3_exec(
      handle, "select count(*) || ' ' || min(refused_bytes) || ' ' || min(accepted_bytes) from evidence",
      [](void* into, int, char** columns, char**) {
        *static_cast<std::string*>(into) = columns[0];
        return 0;
      },
      &rows, nullptr);
  sqlite3_close(handle);
  CHECK(rows == "8 other bytes 0 document: catalogue\n");
  // The same for whoever investigates: eight that were refused, and the one in use.
  auto const files = list_directory(directory / "evidence");
  REQUIRE(files);
  CHECK(files->size() == 9);
  CHECK(std::ranges::all_of(*files,
                            [](auto const& path) { return path.filename().native().starts_with("lxcloud-42-"); }));
}

}  // namespace
}  // namespace imageswarm::state
