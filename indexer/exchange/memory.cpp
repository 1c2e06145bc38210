#include "indexer/exchange/memory.hpp"

#include <algorithm>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "common/document/fields.hpp"
#include "common/document/forms.hpp"
#include "common/yaml/value.hpp"

namespace imageswarm::exchange {
namespace {

constexpr auto file_name = "imports.yaml";
constexpr ByteCount max_file = 16_MiB;
/// Longest identity and longest URL of a list, in bytes.
constexpr std::size_t max_name = 2048;

Result<Memory> memory_from(yaml::Value const& value) {
  Memory memory;
  document::Fields fields{value};
  fields.required("format", memory.format, document::line);
  fields.required("list", memory.list, document::text);
  fields.optional("home", memory.home, document::text);
  fields.optional("signer", memory.signer, document::text);
  fields.required("version", memory.version, document::scalar(document::Version::parse));
  fields.optional("index-version", memory.index_version, document::scalar(document::Version::parse));
  if (!fields.outcome()) return fail(fields.outcome().error());
  return memory;
}

yaml::Value to_value(Memory const& memory) {
  yaml::Value::Map map{{"format", {memory.format}},
                       {"list", {memory.list}},
                       {"home", {memory.home}},
                       {"signer", {memory.signer}},
                       {"version", {memory.version.text}}};
  if (!memory.index_version.text.empty()) map.push_back({"index-version", {memory.index_version.text}});
  return {std::move(map)};
}

Memory memory_of(ForeignList const& list, std::string_view format) {
  return {std::string{format}, list.id, list.home, list.signer, list.version, list.index_version};
}

/// One entry that cannot be read back would make the whole file unreadable.
Result<> check_memorable(Memory const& memory) {
  if (trimmed(memory.list).empty()) return fail(Fault::import_field, "the list has no identity");
  if (memory.list.size() > max_name || memory.home.size() > max_name) {
    return fail(Fault::import_field, "the list's identity or its URL has more than {} bytes", max_name);
  }
  if (auto const read = memory_from(to_value(memory)); !read) return fail(Fault::import_field, "{}", read.error().what);
  return {};
}

bool is_about(Memory const& memory, ForeignList const& list, std::string_view format) {
  return memory.format == format && memory.list == list.id;
}

}  // namespace

Result<std::vector<Memory>> read_memories(std::filesystem::path const& store) {
  auto const text = read_file(store / file_name, max_file);
  if (!text && text.error().fault == Fault::not_found) return std::vector<Memory>{};
  if (!text) return fail(text.error());
  std::vector<Memory> memories;
  auto const top = yaml::parse(*text);
  if (!top) return fail(Fault::state_corrupt, "{}: {}", file_name, top.error().what);
  document::Fields fields{*top};
  fields.optional("imports", memories, document::list_of(memory_from));
  if (!fields.outcome()) return fail(Fault::state_corrupt, "{}: {}", file_name, fields.outcome().error().what);
  return memories;
}

Result<> compare(ForeignList& list, std::string_view format, std::vector<Memory> const& memories,
                 bool signer_demanded) {
  if (list.signer.empty()) return {};
  if (auto good = check_memorable(memory_of(list, format)); !good) return good;
  for (auto const& memory : memories) {
    if (memory.format == format && memory.list != list.id && !list.home.empty() && memory.home == list.home) {
      return fail(Fault::doc_name,
                  "{} was the list {} before and is now {}; if that is right, take it out of the store's {}",
                  printable(list.home), printable(memory.list), printable(list.id), file_name);
    }
    if (!is_about(memory, list, format)) continue;
    if (memory.signer != list.signer && !signer_demanded) {
      return fail(Fault::signer_not_listed, "{} signed it, but the last one {}; say who may sign it if that is right",
                  printable(list.signer, 500), printable(memory.signer, 500));
    }
    if (list.version < memory.version) {
      return fail(Fault::serial_rollback, "its version {} is older than {}, which was imported before",
                  list.version.text, memory.version.text);
    }
    if (!list.index_version.text.empty() && list.index_version < memory.index_version) {
      return fail(Fault::serial_rollback, "its index of {} is older than that of {}, by which it was imported before",
                  list.index_version.text, memory.index_version.text);
    }
    if (list.version == memory.version) list.warnings.emplace_back("this version of the list was imported before");
  }
  return {};
}

Result<> remember(ForeignList const& list, std::string_view format, std::vector<Memory> memories,
                  std::filesystem::path const& store) {
  if (list.signer.empty()) return {};
  std::erase_if(memories, [&](Memory const& memory) { return is_about(memory, list, format); });
  memories.push_back(memory_of(list, format));
  yaml::Value::List entries;
  for (auto const& memory : memories) entries.push_back(to_value(memory));
  return write_file_atomically(store / file_name, yaml::write({yaml::Value::Map{{"imports", {std::move(entries)}}}}));
}

}  // namespace imageswarm::exchange
