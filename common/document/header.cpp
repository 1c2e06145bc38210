#include "common/document/header.hpp"

#include "common/base/text.hpp"
#include "common/document/forms.hpp"

namespace imageswarm::document {
namespace {

std::string text_at(yaml::Value const& top, std::string_view key) {
  auto const* value = top.find(key);
  return value && value->is_text() ? value->text() : "";
}

Result<> check_kind_and_format(yaml::Value const& top, Kind expected) {
  auto const kind = text_at(top, "document");
  if (kind != name_of(expected)) {
    return fail(Fault::kind_mismatch, "it says 'document: {}' where a {} is expected", printable(kind),
                name_of(expected));
  }
  auto const format = parse_number(text_at(top, "format"), 1, max_number);
  if (!format) return fail(Fault::doc_format, "format: {}", format.error().what);
  if (*format > current_format) {
    return fail(Fault::doc_format, "its format {} is newer than {}, the newest that this version understands; upgrade",
                *format, current_format);
  }
  return {};
}

}  // namespace

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::catalogue:
      return "catalogue";
    case Kind::endorser_list:
      return "endorser-list";
    case Kind::approval_list:
      return "approval-list";
  }
  return "";
}

Result<Header> read_header(yaml::Value const& top, Fields& fields, Kind expected) {
  if (auto known = check_kind_and_format(top, expected); !known) return fail(std::move(known.error()));
  Header header;
  header.kind = expected;
  fields.required("document", header.kind, [&](yaml::Value const&) -> Result<Kind> { return expected; });
  fields.required("format", header.format, number(1, current_format));
  fields.required("name", header.name,
                  fitting(is_document_name, "a document's name ([a-z0-9][a-z0-9.-]*, at most 128 characters)"));
  fields.optional("epoch", header.epoch, number(1, max_number));
  fields.required("serial", header.serial, [](yaml::Value const& value) {
    return number(1, max_serial)(value).map_error([](Error error) {
      return Error{Fault::serial_range, std::move(error.what)};
    });
  });
  fields.required("issued", header.issued, scalar(parse_time));
  fields.required("expires", header.expires, scalar(parse_time));
  if (fields.outcome() && header.expires <= header.issued) {
    fields.refuse({Fault::doc_field, "it is not after 'issued'"}, "expires", top.find("expires")->line);
  }
  return fields.outcome().map([&] { return header; });
}

yaml::Value::Map members_of(Header const& header) {
  return {{"document", {std::string{name_of(header.kind)}}},
          {"format", {std::to_string(header.format)}},
          {"name", {header.name}},
          {"epoch", {std::to_string(header.epoch)}},
          {"serial", {std::to_string(header.serial)}},
          {"issued", {format_time(header.issued)}},
          {"expires", {format_time(header.expires)}}};
}

}  // namespace imageswarm::document
