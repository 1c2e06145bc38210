#include "daemon/state/database.hpp"

#include <sqlite3.h>

#include <utility>

#include "common/base/file.hpp"
#include "common/base/text.hpp"

namespace imageswarm::state {
namespace {

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

/// SQLite copies nothing (SQLITE_STATIC): parameters outlive the statement.
int bind(sqlite3_stmt* statement, int index, Parameter const& parameter) {
  if (auto const* number = std::get_if<std::int64_t>(&parameter)) return sqlite3_bind_int64(statement, index, *number);
  if (auto const* text = std::get_if<std::string_view>(&parameter)) {
    // A null pointer, which an empty view may hold, would be bound as NULL.
    return sqlite3_bind_text64(statement, index, text->empty() ? "" : text->data(), text->size(), SQLITE_STATIC,
                               SQLITE_UTF8);
  }
  if (auto const* blob = std::get_if<Blob>(&parameter)) {
    if (blob->bytes.empty()) return sqlite3_bind_zeroblob(statement, index, 0);
    return sqlite3_bind_blob64(statement, index, blob->bytes.data(), blob->bytes.size(), SQLITE_STATIC);
  }
  return sqlite3_bind_null(statement, index);
}

Fault fault_of_code(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return Fault::disk_full;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return Fault::permission;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Fault::state_corrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Fault::exists;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return Fault::disk_error;
    default:
      return Fault::internal;
  }
}

}  // namespace

std::int64_t Row::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string Row::text(int column) const {
  auto const* bytes = static_cast<char const*>(sqlite3_column_blob(statement_, column));
  auto const size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return bytes == nullptr ? std::string{} : std::string{bytes, size};
}

void Database::Close::operator()(sqlite3* handle) const {
  sqlite3_close(handle);
}

Database::Database(std::unique_ptr<sqlite3, Close> handle, std::filesystem::path file)
    : handle_{std::move(handle)}, file_{std::move(file)} {}

Result<Database> Database::open(std::filesystem::path const& file) {
  auto const flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  sqlite3* handle = nullptr;
  auto const code = sqlite3_open_v2(file.c_str(), &handle, flags, nullptr);
  Database database{std::unique_ptr<sqlite3, Close>{handle}, file};
  if (handle == nullptr) return fail(Fault::internal, "opening {}: out of memory", printable(file.native()));
  sqlite3_extended_result_codes(handle, 1);
  if (code != SQLITE_OK) return fail(database.last_error(code));
  return database;
}

Error Database::last_error(int code) const {
  auto const fault = fault_of_code(code);
  if (fault == Fault::exists) {
    return {fault, fmt::format("{} is in use by another process; is an imageswarmd already running here?",
                               printable(file_.native()))};
  }
  if (fault == Fault::state_corrupt) return corrupt_state(file_, sqlite3_errmsg(handle_.get()));
  if (auto const number = sqlite3_system_errno(handle_.get()); fault == Fault::disk_error && number != 0) {
    return errno_error(number, "using the state file", file_);
  }
  return {fault, fmt::format("{}: {}", printable(file_.native()), sqlite3_errmsg(handle_.get()))};
}

Error corrupt_state(std::filesystem::path const& file, std::string_view why) {
  return {Fault::state_corrupt,
          fmt::format("{}: {}; restore it from a backup, or move it away to start without the serial floors and "
                      "receipts that it holds",
                      printable(file.native()), why)};
}

Result<> Database::script(char const* sql) {
  auto const code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(last_error(code));
  return {};
}

Result<> Database::run(std::string_view sql, std::initializer_list<Parameter> parameters) {
  return each(sql, parameters, [](Row const&) -> Result<> { return {}; });
}

Result<> Database::each(std::string_view sql, std::initializer_list<Parameter> parameters,
                        std::function<Result<>(Row const&)> const& row) const {
  sqlite3_stmt* raw = nullptr;
  auto code = sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
  Statement const statement{raw};
  int index = 0;
  for (auto const& parameter : parameters) {
    if (code == SQLITE_OK) code = bind(raw, ++index, parameter);
  }
  if (code != SQLITE_OK) return fail(last_error(code));
  while ((code = sqlite3_step(raw)) == SQLITE_ROW) {
    if (auto done = row(Row{raw}); !done) return done;
  }
  if (code != SQLITE_DONE) return fail(last_error(code));
  return {};
}

Result<std::int64_t> Database::number(std::string_view sql) const {
  std::int64_t value = 0;
  auto const read = each(sql, {}, [&](Row const& row) -> Result<> {
    value = row.integer(0);
    return {};
  });
  if (!read) return fail(read.error());
  return value;
}

Result<> Database::transaction(std::function<Result<>()> const& work) {
  if (auto begun = script("begin immediate"); !begun) return begun;
  auto done = work();
  if (done) done = script("commit");
  // SQLite has already rolled back by itself after some errors; then this one says so and nothing is lost.
  if (!done) [[maybe_unused]]
    auto const undone = script("rollback");
  return done;
}

}  // namespace imageswarm::state
