#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "common/base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

// SQLite as the room of state uses it; nobody else includes this.

namespace imageswarm::state {

struct Blob {
  std::string_view bytes;
};
/// What a `?` of a statement stands for; texts and blobs must live until the call returns.
using Parameter = std::variant<std::nullptr_t, std::int64_t, std::string_view, Blob>;

/// One row of an answer, valid while the function that was given it runs. Columns count from 0.
class Row {
public:
  explicit Row(sqlite3_stmt* statement) : statement_{statement} {}
  std::int64_t integer(int column) const;
  std::string text(int column) const;  ///< of a text or a blob

private:
  sqlite3_stmt* statement_;
};

/// An open database. One thread at a time.
class Database {
public:
  /// The file must be there; an empty one is an empty database. Faults: not-found, permission, disk-error.
  [[nodiscard]] static Result<Database> open(std::filesystem::path const& file);

  /// Statements without parameters or answer, one after the other.
  [[nodiscard]] Result<> script(char const* sql);
  /// One statement without answer.
  [[nodiscard]] Result<> run(std::string_view sql, std::initializer_list<Parameter> parameters);
  /// One statement; `row` is called for each row of its answer and may end it with an error.
  [[nodiscard]] Result<> each(std::string_view sql, std::initializer_list<Parameter> parameters,
                              std::function<Result<>(Row const&)> const& row) const;
  /// The first column of the first row.
  [[nodiscard]] Result<std::int64_t> number(std::string_view sql) const;
  /// All of `work` or nothing.
  [[nodiscard]] Result<> transaction(std::function<Result<>()> const& work);

private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  Database(std::unique_ptr<sqlite3, Close> handle, std::filesystem::path file);
  Error last_error(int code) const;

  std::unique_ptr<sqlite3, Close> handle_;
  std::filesystem::path file_;
};

/// The state file is not to be used, with the remedy: it is never taken for a first use.
Error corrupt_state(std::filesystem::path const& file, std::string_view why);

/// The scripts of daemon/state/migrations in order: the n-th makes `user_version` n out of n-1.
std::span<char const* const> migrations();

}  // namespace imageswarm::state
