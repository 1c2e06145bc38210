#include "daemon/state/state.hpp"

#include <algorithm>
#include <system_error>
#include <tuple>
#include <utility>

#include "common/base/digest.hpp"
#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "daemon/state/announcement_table.hpp"
#include "daemon/state/columns.hpp"
#include "daemon/state/database.hpp"
#include "daemon/state/departure_table.hpp"
#include "daemon/state/want_text.hpp"

namespace imageswarm::state {
namespace fs = std::filesystem;
namespace {

/// "Imsw": tells our files from other SQLite databases.
constexpr std::int64_t application_id = 0x496d7377;
/// Per document; a signer who equivocates at every refresh shall not fill the disk.
constexpr std::int64_t most_evidence = 8;

std::int64_t number(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}
std::uint64_t natural(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

bool take_kind(std::string_view name, document::Kind& kind) {
  for (auto const known : {document::Kind::catalogue, document::Kind::endorser_list, document::Kind::approval_list}) {
    kind = known;
    if (document::name_of(known) == name) return true;
  }
  return false;
}

/// Columns kind, name, signer, epoch, serial, digest.
bool read_floor(Row const& row, std::pair<trust::DocumentKey, trust::Floor>& entry) {
  auto& [key, floor] = entry;
  key.name = row.text(1);
  key.signer = row.text(2);
  floor.epoch = natural(row.integer(3));
  floor.serial = natural(row.integer(4));
  return take_kind(row.text(0), key.kind) && take(row.text(5), floor.digest);
}

bool read_document(Row const& row, AcceptedDocument& document) {
  std::pair<trust::DocumentKey, trust::Floor> entry;
  if (!read_floor(row, entry)) return false;
  document = {std::move(entry.first),  entry.second,           row.text(6), row.text(7),
              time_of(row.integer(8)), time_of(row.integer(9))};
  return true;
}

bool read_held(Row const& row, HeldImage& image) {
  auto want = read_want(row.text(0));
  if (!want) return false;
  image = {std::move(*want), row.text(1), row.integer(2) != 0, time_of(row.integer(3)), row.integer(4) != 0};
  return true;
}

bool read_receipt(Row const& row, flow::Receipt& receipt) {
  receipt.sink = row.text(1);
  receipt.sink_type = row.text(2);
  receipt.reference = row.text(3);
  receipt.size = {natural(row.integer(6))};
  receipt.at = time_of(row.integer(7));
  receipt.uploaded_here = row.integer(8) != 0;
  auto& origin = receipt.provenance;
  origin.catalogue = row.text(9);
  origin.catalogue_url = row.text(10);
  origin.serial = natural(row.integer(11));
  origin.endorser = row.text(13);
  origin.approval = row.text(14);
  receipt.compared = row.text(15);
  return take(row.text(0), receipt.image_id) && take(row.text(4), receipt.content_sha256) &&
         take(row.text(5), receipt.content_sha512) && take(row.text(12), origin.catalogue_digest);
}

/// Brings an open database to the newest schema, one transaction per step.
Result<> migrate(Database& database, fs::path const& file) {
  auto const version = database.number("pragma user_version");
  if (!version) return fail(version.error());
  auto const scripts = migrations();
  if (*version > static_cast<std::int64_t>(scripts.size())) {
    return fail(Fault::state_newer,
                "{} was written by a newer imageswarmd (schema {}, this one knows {}); install that version again",
                printable(file.native()), *version, scripts.size());
  }
  for (auto next = static_cast<std::size_t>(*version); next < scripts.size(); ++next) {
    auto const step = database.transaction([&]() -> Result<> {
      if (auto done = database.script(scripts[next]); !done) return done;
      return database.script(fmt::format("pragma user_version = {}", next + 1).c_str());
    });
    if (!step) return step;
  }
  return {};
}

/// The file appears under its name with its schema or not at all, so an empty one is never ours.
Result<> create(fs::path const& file) {
  auto const temporary = file.parent_path() / ("." + file.filename().native() + ".tmp");
  std::error_code ignored;
  fs::remove(temporary, ignored);
  fs::remove(temporary.native() + "-journal", ignored);
  {
    // SQLite would report a directory without permission as a missing file.
    if (auto made = write_file_atomically(temporary, "", 0600); !made) return made;
    auto database = Database::open(temporary);
    if (!database) return fail(std::move(database.error()));
    auto const marked = database->script(fmt::format("pragma application_id = {}", application_id).c_str());
    if (!marked) return marked;
    if (auto migrated = migrate(*database, temporary); !migrated) return migrated;
  }
  return move_into_place(temporary, file);
}

/// Is it ours and whole? A disk or permission fault is returned as such: the file may be fine.
Result<> check(Database const& database, fs::path const& file) {
  auto const id = database.number("pragma application_id");
  if (!id) return fail(id.error());
  if (*id != application_id) return fail(corrupt_state(file, "not a state file of imageswarmd"));
  std::string verdict;
  auto const checked = database.each("pragma quick_check(1)", {}, [&](Row const& row) -> Result<> {
    verdict = row.text(0);
    return {};
  });
  if (!checked) return checked;
  if (verdict != "ok") return fail(corrupt_state(file, printable(verdict)));
  return {};
}

/// Exclusive: a second daemon on the same file is refused at its start instead of corrupting what this one knows.
constexpr char const* pragmas =
    "pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full; "
    "pragma trusted_schema = off;";

Result<Database> open_existing(fs::path const& file) {
  std::error_code error;
  if (fs::file_size(file, error) == 0 && !error) return fail(corrupt_state(file, "the file is empty"));
  auto database = Database::open(file);
  if (!database) return database;
  auto const ready = database->script(pragmas).and_then([&] { return check(*database, file); }).and_then([&] {
    return migrate(*database, file);
  });
  if (!ready) return fail(ready.error());
  return database;
}

}  // namespace

struct State::Impl {
  Database database;
  fs::path file;

  /// All rows of a query as values; `read` says false where a column does not hold what we once wrote.
  template <class T>
  Result<std::vector<T>> all(std::string_view sql, bool (*read)(Row const&, T&)) const {
    std::vector<T> values;
    auto const done = database.each(sql, {}, [&](Row const& row) -> Result<> {
      if (read(row, values.emplace_back())) return {};
      return fail(corrupt_state(file, "a row cannot be read"));
    });
    if (!done) return fail(done.error());
    return values;
  }

  Result<> raise_time_floor(TimePoint seen) {
    return database.run(
        "insert into time_floor values (1, ?) on conflict do update set seen = max(seen, excluded.seen)",
        {seconds(seen)});
  }

  /// The accepted and the refused version as files; the directory that they are in.
  Result<fs::path> write_evidence(trust::DocumentKey const& key, std::string_view refused) const;

  /// Two fetches of one document may have been verified against the same floor at the same time.
  Result<> check_floor(AcceptedDocument const& document) const;
};

State::State(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
State::State(State&&) noexcept = default;
State& State::operator=(State&&) noexcept = default;
State::~State() = default;

Result<State> State::open(fs::path const& file) {
  std::error_code error;
  if (!fs::exists(file, error)) {
    if (error) return fail(errno_error(error.value(), "opening", file));
    // A log without its database would be replayed into the new one.
    if (fs::exists(file.native() + "-wal", error)) {
      return fail(corrupt_state(file, "missing, though its write-ahead log is there"));
    }
    if (auto created = create(file); !created) return fail(created.error());
  }
  auto database = open_existing(file);
  if (!database) return fail(std::move(database.error()));
  return State{std::make_unique<Impl>(Impl{std::move(*database), file})};
}

Result<std::vector<AcceptedDocument>> State::documents() const {
  return impl_->all<AcceptedDocument>(
      "select kind, name, signer, epoch, serial, digest, url, bytes, issued, accepted from document "
      "order by kind, name, signer",
      read_document);
}

Result<trust::Floors> State::floors() const {
  auto const rows = impl_->all<std::pair<trust::DocumentKey, trust::Floor>>(
      "select kind, name, signer, epoch, serial, digest from document", read_floor);
  if (!rows) return fail(rows.error());
  return trust::Floors{rows->begin(), rows->end()};
}

Result<> State::Impl::check_floor(AcceptedDocument const& document) const {
  auto const& [key, floor] = std::tie(document.key, document.floor);
  return database.each(
      "select serial, digest from document where kind = ? and name = ? and signer = ? and epoch = ?",
      {document::name_of(key.kind), key.name, key.signer, number(floor.epoch)}, [&](Row const& row) -> Result<> {
        auto const serial = natural(row.integer(0));
        if (floor.serial < serial) {
          return fail(Fault::serial_rollback, "serial {} is lower than the accepted {}", floor.serial, serial);
        }
        if (floor.serial == serial && floor.digest.hex() != row.text(1)) {
          return fail(Fault::equivocation, "other bytes than those accepted under the same serial {}", serial);
        }
        return {};
      });
}

Result<> State::accept(AcceptedDocument const& document) {
  auto const& [key, floor] = std::tie(document.key, document.floor);
  return impl_->database.transaction([&] {
    return impl_->check_floor(document)
        .and_then([&] {
          return impl_->database.run("insert or replace into document values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                                     {document::name_of(key.kind), key.name, key.signer, number(floor.epoch),
                                      number(floor.serial), floor.digest.hex(), document.url, Blob{document.bytes},
                                      seconds(document.issued), seconds(document.accepted)});
        })
        .and_then([&] { return impl_->raise_time_floor(std::max(document.issued, document.accepted)); });
  });
}

Result<fs::path> State::Impl::write_evidence(trust::DocumentKey const& key, std::string_view refused) const {
  auto const directory = file.parent_path() / "evidence";
  if (auto made = make_directories(directory, 0700); !made) return fail(std::move(made.error()));
  auto const written =
      database.each("select serial, bytes from document where (kind, name, signer) = (?, ?, ?)",
                    {document::name_of(key.kind), key.name, key.signer}, [&](Row const& row) -> Result<> {
                      for (auto const& bytes : {row.text(1), std::string{refused}}) {
                        auto const digest = digest_of<Sha256>(bytes).hex().substr(0, 16);
                        auto const name = fmt::format("{}-{}-{}.yaml", key.name, row.integer(0), digest);
                        if (auto done = write_file_atomically(directory / name, bytes, 0600); !done) return done;
                      }
                      return {};
                    });
  if (!written) return fail(written.error());
  return directory;
}

Result<std::optional<fs::path>> State::keep_evidence(trust::DocumentKey const& key, std::string_view url,
                                                     std::string_view bytes, TimePoint now) {
  auto const kind = document::name_of(key.kind);
  auto const digest = digest_of<Sha256>(bytes).hex();
  auto const kept = impl_->database.run(
      "insert or ignore into evidence select ?1, ?2, ?3, ?4, ?5, ?6, url, bytes, ?7 "
      "from (select 1) left join document on (kind, name, signer) = (?1, ?2, ?3) "
      "where (select count(*) from evidence where (kind, name, signer) = (?1, ?2, ?3)) < ?8",
      {kind, key.name, key.signer, digest, url, Blob{bytes}, seconds(now), most_evidence});
  if (!kept) return fail(kept.error());
  auto const is_new = impl_->database.number("select changes()");
  if (!is_new) return fail(is_new.error());
  if (*is_new == 0) return std::nullopt;
  auto const written = impl_->write_evidence(key, bytes);
  if (!written) return fail(written.error());
  return *written;
}

Result<TimePoint> State::time_floor() const {
  auto const seen = impl_->database.number("select seen from time_floor");
  if (!seen) return fail(seen.error());
  return std::max(time_of(*seen), build_time());
}

Result<> State::raise_time_floor(TimePoint seen) {
  return impl_->raise_time_floor(seen);
}

Result<std::optional<BootClock>> State::boot_clock() const {
  std::optional<BootClock> clock;
  auto const read = impl_->database.each("select boot_id, booted from boot_clock", {}, [&](Row const& row) -> Result<> {
    clock = {row.text(0), time_of(row.integer(1))};
    return {};
  });
  if (!read) return fail(read.error());
  return clock;
}

Result<> State::keep_boot_clock(BootClock const& clock) {
  return impl_->database.run("insert or replace into boot_clock values (1, ?, ?)",
                             {clock.boot_id, seconds(clock.booted)});
}

Result<std::vector<HeldImage>> State::held() const {
  return impl_->all<HeldImage>("select want, artefact, in_place, since, whole from held order by image_id", read_held);
}

Result<> State::hold(HeldImage const& image) {
  return impl_->database.run("insert or replace into held values (?, ?, ?, ?, ?, ?)",
                             {image.want.image.image_id.text(), write(image.want), image.artefact.native(),
                              std::int64_t{image.in_place}, seconds(image.since), std::int64_t{image.whole}});
}

Result<> State::release(Uuid const& image_id) {
  return impl_->database.run("delete from held where image_id = ?", {image_id.text()});
}

Result<std::vector<flow::Receipt>> State::receipts() const {
  return impl_->all<flow::Receipt>(
      "select image_id, sink, sink_type, reference, content_sha256, content_sha512, size, at, uploaded_here, "
      "catalogue, catalogue_url, serial, catalogue_digest, endorser, approval, compared from receipt order by at, "
      "image_id, sink",
      read_receipt);
}

Result<> State::record(flow::Receipt const& receipt) {
  auto const& origin = receipt.provenance;
  return impl_->database.run(
      "insert or replace into receipt values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {receipt.image_id.text(), receipt.sink, receipt.sink_type, receipt.reference, receipt.content_sha256.hex(),
       receipt.content_sha512.hex(), number(receipt.size.value), seconds(receipt.at),
       std::int64_t{receipt.uploaded_here}, origin.catalogue, origin.catalogue_url, number(origin.serial),
       origin.catalogue_digest.hex(), origin.endorser, origin.approval, receipt.compared});
}

Result<> State::forget_receipt(Uuid const& image_id, std::string_view sink) {
  return impl_->database.run("delete from receipt where image_id = ? and sink = ?", {image_id.text(), sink});
}

Result<std::vector<Departure>> State::departures() const {
  auto departures = read_departures(impl_->database);
  if (!departures && departures.error().fault == Fault::state_corrupt) {
    return fail(corrupt_state(impl_->file, departures.error().what));
  }
  return departures;
}

Result<> State::record(Departure const& departure) {
  return impl_->database.transaction([&] { return write_departure(impl_->database, departure); });
}

Result<> State::forget_departure(Uuid const& image_id) {
  return impl_->database.transaction([&] { return remove_departure(impl_->database, image_id); });
}

Result<std::vector<Announcement>> State::announcements() const {
  return impl_->all<Announcement>("select image_id, event, detail from announcement", read_announcement);
}

Result<std::vector<Delivery>> State::deliveries() const {
  return impl_->all<Delivery>("select number, hook, image_id, event, body, since from delivery order by number",
                              read_delivery);
}

Result<> State::announce(Announcement const& announcement, std::vector<Delivery>& deliveries) {
  return impl_->database.transaction([&] { return write_announcement(impl_->database, announcement, deliveries); });
}

Result<> State::forget_announcement(Uuid const& image_id) {
  return impl_->database.run("delete from announcement where image_id = ?", {image_id.text()});
}

Result<> State::forget_delivery(std::int64_t number) {
  return impl_->database.run("delete from delivery where number = ?", {number});
}

}  // namespace imageswarm::state
