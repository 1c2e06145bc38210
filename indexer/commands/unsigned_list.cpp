#include "indexer/commands/unsigned_list.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <chrono>

namespace imageswarm::commands {

Result<document::Header> new_list_header(document::Kind kind, std::filesystem::path const& path,
                                         std::string const& name, TimePoint now) {
  if (!document::is_document_name(name)) {
    return fail(Fault::usage, "'{}' is no name for a document: lower-case letters, digits, dots and dashes",
                printable(name));
  }
  std::error_code error;
  if (std::filesystem::exists(path, error)) return fail(Fault::exists, "{} is there already", printable(path.native()));
  // What signing sets anew has to stand here in a form that can be read back.
  return document::Header{kind, document::current_format, name, 1, 1, now, now + std::chrono::days{28}};
}

Result<UniqueFd> lock_list(std::filesystem::path const& path) {
  auto const directory = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
  UniqueFd lock{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!lock) return fail(errno_error(errno, "opening", directory));
  if (::flock(lock.get(), LOCK_EX) != 0) return fail(errno_error(errno, "locking", directory));
  return lock;
}

Result<std::string> unsigned_text(std::filesystem::path const& path) {
  auto text = read_file(path, document::max_document_size);
  if (text && text->find("\nx509-signature:") != text->npos) {
    return fail(Fault::usage, "{} is signed already; give the list that it was made from", printable(path.native()));
  }
  return text;
}

}  // namespace imageswarm::commands
