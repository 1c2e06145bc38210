#include "daemon/state/state.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "common/base/file.hpp"
#include "tests/support/sample_want.hpp"
#include "tests/support/temporary_directory.hpp"

namespace imageswarm::state {
namespace {

using Catch::Matchers::Contains;
using test::TemporaryDirectory;

TimePoint time(std::string_view text) {
  return parse_time(text).value();
}

AcceptedDocument document(std::uint64_t serial, std::string bytes, std::uint64_t epoch = 1) {
  return {{document::Kind::catalogue, "lxcloud", "CN=Ada (issuer CN=CA)"},
          {epoch, serial, digest_of<Sha256>(bytes)},
          "https://images.example.org/catalogue.yaml",
          bytes,
          time("2031-05-01T00:00:00Z"),
          time("2031-05-02T00:00:00Z")};
}

flow::Receipt receipt(std::string sink) {
  auto const id = Uuid::parse("11111111-2222-5333-8444-555555555555").value();
  return {id,
          std::move(sink),
          "glance",
          id.text(),
          digest_of<Sha256>("content"),
          digest_of<Sha512>("content"),
          3_GiB,
          "content-sha256 content-sha512",
          {"lxcloud", "https://images.example.org/catalogue.yaml", 42, digest_of<Sha256>("catalogue"),
           "CN=Ada (issuer CN=CA)", "policy all"},
          time("2031-05-02T10:00:00Z"),
          true};
}

void write(std::filesystem::path const& path, std::string_view content) {
  std::ofstream{path, std::ios::binary} << content;
}

TEST_CASE("an accepted document, its floor and the time floor survive together") {
  TemporaryDirectory const directory;
  std::string const bytes{"document: catalogue\nwith \0 in it", 30};
  {
    auto state = State::open(directory / "state.db");
    REQUIRE(state);
    CHECK(state->documents()->empty());
    CHECK(state->time_floor() == build_time());
    REQUIRE(state->accept(document(41, "older")));
    REQUIRE(state->accept(document(42, bytes)));
  }
  auto const state = State::open(directory / "state.db");
  REQUIRE(state);
  auto const documents = state->documents();
  REQUIRE(documents);
  REQUIRE(documents->size() == 1);
  auto const& kept = documents->front();
  CHECK(kept.bytes == bytes);
  CHECK(kept.url == "https://images.example.org/catalogue.yaml");
  CHECK(kept.issued == time("2031-05-01T00:00:00Z"));
  CHECK(kept.accepted == time("2031-05-02T00:00:00Z"));
  auto const floors = state->floors();
  REQUIRE(floors);
  REQUIRE(floors->size() == 1);
  CHECK(floors->begin()->first == kept.key);
  CHECK(floors->begin()->second.serial == 42);
  CHECK(floors->begin()->second.digest == digest_of<Sha256>(bytes));
  CHECK(state->time_floor() == time("2031-05-02T00:00:00Z"));
}

TEST_CASE("a document that lost the race against a newer one is refused and changes nothing") {
  TemporaryDirectory const directory;
  auto state = State::open(directory / "state.db");
  REQUIRE(state);
  REQUIRE(state->accept(document(42, "new")));
  CHECK(state->accept(document(42, "new")));

  auto const older = state->accept(document(41, "old"));
  REQUIRE_FALSE(older);
  CHECK(older.error().fault == Fault::serial_rollback);
  auto const other = state->accept(document(42, "other"));
  REQUIRE_FALSE(other);
  CHECK(other.error().fault == Fault::equivocation);
  CHECK(state->documents()->front().bytes == "new");

  CHECK(state->accept(document(1, "after the compromise", 2)));
  CHECK(state->floors()->begin()->second.serial == 1);
}

TEST_CASE("the time floor never goes back") {
  TemporaryDirectory const directory;
  auto state = State::open(directory / "state.db");
  REQUIRE(state);
  REQUIRE(state->raise_time_floor(time("2035-01-01T00:00:00Z")));
  REQUIRE(state->raise_time_floor(time("2034-01-01T00:00:00Z")));
  REQUIRE(state->accept(document(1, "earlier")));
  CHECK(state->time_floor() == time("2035-01-01T00:00:00Z"));
}

TEST_CASE("a receipt is kept with all of its provenance, one per image and sink") {
  TemporaryDirectory const directory;
  auto state = State::open(directory / "state.db");
  REQUIRE(state);
  auto first = receipt("mysite");
  first.uploaded_here = false;
  REQUIRE(state->record(first));
  REQUIRE(state->record(receipt("mysite")));
  REQUIRE(state->record(receipt("/srv/images")));
  auto const kept = state->receipts();
  REQUIRE(kept);
  REQUIRE(kept->size() == 2);
  auto const& back = kept->back();
  auto const expected = receipt("mysite");
  CHECK(back.image_id == expected.image_id);
  CHECK(back.sink == "mysite");
  CHECK(back.sink_type == "glance");
  CHECK(back.reference == expected.reference);
  CHECK(back.content_sha256 == expected.content_sha256);
  CHECK(back.content_sha512 == expected.content_sha512);
  CHECK(back.size == 3_GiB);
  CHECK(back.at == expected.at);
  CHECK(back.uploaded_here);
  CHECK(back.provenance.catalogue == "lxcloud");
  CHECK(back.provenance.catalogue_url == "https://images.example.org/catalogue.yaml");
  CHECK(back.provenance.serial == 42);
  CHECK(back.provenance.catalogue_digest == digest_of<Sha256>("catalogue"));
  CHECK(back.provenance.endorser == "CN=Ada (issuer CN=CA)");
  CHECK(back.provenance.approval == "policy all");

  REQUIRE(state->forget_receipt(expected.image_id, "mysite"));
  REQUIRE(state->receipts()->size() == 1);
  CHECK(state->receipts()->front().sink == "/srv/images");
}

TEST_CASE("what is held is kept until it is released") {
  TemporaryDirectory const directory;
  auto state = State::open(directory / "state.db");
  REQUIRE(state);
  auto const want = test::sample_want();
  REQUIRE(state->hold({want, "/var/lib/imageswarm/a b", false, time("2031-05-02T10:00:00Z")}));
  REQUIRE(state->hold({want, "/srv/public/images/a", true, time("2031-05-03T10:00:00Z"), false}));
  auto const held = state->held();
  REQUIRE(held);
  REQUIRE(held->size() == 1);
  CHECK(held->front().want.image.image_id == want.image.image_id);
  CHECK(held->front().artefact == "/srv/public/images/a");
  CHECK(held->front().in_place);
  CHECK_FALSE(held->front().whole);
  CHECK(held->front().since == time("2031-05-03T10:00:00Z"));
  REQUIRE(state->release(want.image.image_id));
  CHECK(state->held()->empty());
}

TEST_CASE("a file that is not a state file is refused with a remedy and left as it is") {
  TemporaryDirectory const directory;
  auto const file = directory / "state.db";
  std::string content = GENERATE(std::string{"this is not a database, though it is long enough to be looked at"},
                                 std::string{}, std::string(8192, '\0'));
  write(file, content);
  auto const state = State::open(file);
  REQUIRE_FALSE(state);
  CHECK(state.error().fault == Fault::state_corrupt);
  CHECK_THAT(state.error().what, Contains(file.native()) && Contains("move it away"));
  CHECK(read_file(file, 1_MiB) == content);
}

TEST_CASE("a damaged state file is refused") {
  TemporaryDirectory const directory;
  auto const file = directory / "state.db";
  {
    auto state = State::open(file);
    REQUIRE(state);
    REQUIRE(state->accept(document(42, std::string(60'000, 'x'))));
  }
  auto content = read_file(file, 16_MiB).value();
  SECTION("cut short") {
    content.resize(content.size() / 2);
  }
  SECTION("overwritten in the middle") {
    content.replace(4096, 4096, std::string(4096, '\xff'));
  }
  write(file, content);
  auto const state = State::open(file);
  REQUIRE_FALSE(state);
  CHECK(state.error().fault == Fault::state_corrupt);
}

TEST_CASE("a log without its database is not replayed into a new one") {
  TemporaryDirectory const directory;
  write(directory / "state.db-wal", "frames");
  auto const state = State::open(directory / "state.db");
  REQUIRE_FALSE(state);
  CHECK(state.error().fault == Fault::state_corrupt);
  CHECK_FALSE(std::filesystem::exists(directory / "state.db"));
}

TEST_CASE("what a crash in the middle of the first start left behind does no harm") {
  TemporaryDirectory const directory;
  write(directory / ".state.db.tmp", "half a database");
  CHECK(State::open(directory / "state.db"));
  CHECK_FALSE(std::filesystem::exists(directory / ".state.db.tmp"));
}

TEST_CASE("a second daemon on the same state is refused") {
  TemporaryDirectory const directory;
  auto const first = State::open(directory / "state.db");
  REQUIRE(first);
  auto const second = State::open(directory / "state.db");
  REQUIRE_FALSE(second);
  CHECK(second.error().fault == Fault::exists);
  CHECK_THAT(second.error().what, Contains("already running"));
}

TEST_CASE("a missing directory and one without permission are said to be so") {
  TemporaryDirectory const directory;
  auto const missing = State::open(directory / "no/such/state.db");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().fault == Fault::not_found);

  // Root may write anywhere: look with another user's eyes.
  std::filesystem::permissions(directory.path(), std::filesystem::perms{0555});
  bool const root = ::geteuid() == 0;
  if (root) REQUIRE(::seteuid(65534) == 0);
  auto const forbidden = State::open(directory / "state.db");
  if (root) REQUIRE(::seteuid(0) == 0);
  REQUIRE_FALSE(forbidden);
  CHECK(forbidden.error().fault == Fault::permission);
  CHECK_THAT(forbidden.error().what, Contains(directory.path().native()));
}

TEST_CASE("what was accepted before a kill -9 is there afterwards, each time") {
  TemporaryDirectory const directory;
  auto const file = directory / "state.db";
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  std::uint64_t acknowledged = 0;
  for (int kills = 0; kills < 5; ++kills) {
    auto const child = ::fork();
    if (child == 0) {
      auto state = State::open(file);
      for (auto serial = acknowledged + 1; state && state->accept(document(serial, std::string(serial * 500, 'x')));
           ++serial) {
        if (::write(ends[1], &serial, sizeof serial) != sizeof serial) break;
      }
      ::_exit(1);
    }
    for (int i = 0; i <= kills * 3; ++i) REQUIRE(::read(ends[0], &acknowledged, sizeof acknowledged) > 0);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);

    auto const state = State::open(file);
    REQUIRE(state);
    auto const floor = state->floors().value().begin()->second;
    CHECK(floor.serial >= acknowledged);
    CHECK(floor.digest == digest_of<Sha256>(state->documents().value().front().bytes));
    acknowledged = floor.serial;
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    for (std::uint64_t rest = 0; ::read(ends[0], &rest, sizeof rest) > 0;) continue;
    ::fcntl(ends[0], F_SETFL, 0);
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

/// A file system of half a mebibyte; nothing where mounting is not allowed.
class TinyDisk {
public:
  TinyDisk() : mounted_{::mount("none", directory_.path().c_str(), "tmpfs", 0, "size=512k") == 0} {}
  ~TinyDisk() {
    if (mounted_) ::umount(directory_.path().c_str());
  }
  explicit operator bool() const { return mounted_; }
  std::filesystem::path file() const { return directory_ / "state.db"; }

private:
  TemporaryDirectory directory_;
  bool mounted_;
};

TEST_CASE("on a full disk nothing is lost, and it goes on when there is room again") {
  TinyDisk const disk;
  if (!disk) {
    WARN("mounting is not allowed here: not tested");
    return;
  }
  auto state = State::open(disk.file());
  REQUIRE(state);
  REQUIRE(state->accept(document(41, "small")));
  auto const full = state->accept(document(42, std::string(1'000'000, 'x')));
  REQUIRE_FALSE(full);
  CHECK(full.error().fault == Fault::disk_full);
  CHECK(state->documents()->front().bytes == "small");
  CHECK(state->accept(document(42, "small again")));
  CHECK(state->floors()->begin()->second.serial == 42);
}

TEST_CASE("departures survive with what was done, and one takes the place of the other") {
  TemporaryDirectory const directory;
  Departure departure{.want = test::sample_want(),
                      .why = flow::Retirement::withdrawn,
                      .reason = "lxcloud serial 42 withdrew it",
                      .since = time("2031-05-02T10:00:00Z"),
                      .unseeded = {},
                      .discarded = {},
                      .sinks = {}};
  {
    auto state = State::open(directory / "state.db");
    REQUIRE(state);
    REQUIRE(state->record(departure));
    departure.unseeded = time("2031-05-02T10:00:01Z");
    departure.sinks = {
        {"mysite", "glance", "0b6c", flow::Effect::deactivated, "", time("2031-05-02T10:00:02Z"), {}},
        {"/srv", "directory", "/srv/a.raw", flow::Effect::in_use, "somebody", time("2031-05-02T10:00:03Z"), {}},
        {"/data", "directory", "", {}, "", {}, {}}};
    REQUIRE(state->record(departure));
  }
  auto state = State::open(directory / "state.db");
  REQUIRE(state);
  auto const read = state->departures();
  REQUIRE(read);
  REQUIRE(read->size() == 1);
  auto const& kept = read->front();
  CHECK(kept.want.image.image_id == departure.want.image.image_id);
  CHECK(kept.want.endorser.same_identity(departure.want.endorser));
  CHECK(kept.why == departure.why);
  CHECK(kept.reason == departure.reason);
  CHECK(kept.since == departure.since);
  CHECK(kept.unseeded == departure.unseeded);
  CHECK_FALSE(kept.discarded);
  REQUIRE(kept.sinks.size() == 3);
  CHECK(kept.sinks[0].name == "/data");
  CHECK_FALSE(kept.sinks[0].effect);
  CHECK_FALSE(kept.sinks[0].at);
  CHECK(kept.sinks[1].effect == flow::Effect::in_use);
  CHECK(kept.sinks[1].used_by == "somebody");
  CHECK(kept.sinks[2].at == departure.sinks[0].at);
  CHECK(kept.sinks[2].reference == "0b6c");
  REQUIRE(state->forget_departure(departure.want.image.image_id));
  CHECK(state->departures()->empty());
}

TEST_CASE("a departure that cannot be read costs no other one") {
  TemporaryDirectory const directory;
  auto state = State::open(directory / "state.db");
  REQUIRE(state);
  Departure departure{.want = test::sample_want(),
                      .why = flow::Retirement::recalled,
                      .reason = "a hole",
                      .since = time("2031-05-02T10:00:00Z"),
                      .unseeded = {},
                      .discarded = {},
                      .sinks = {{"mysite", "glance", "", {}, "", {}, {}}}};
  REQUIRE(state->record(departure));
  departure.want.image = {};  // no entry can be read from this
  REQUIRE(state->record(departure));
  auto const read = state->departures();
  REQUIRE(read);
  REQUIRE(read->size() == 1);
  CHECK(read->front().want.image.name == test::sample_want().image.name);
}

}  // namespace
}  // namespace imageswarm::state
