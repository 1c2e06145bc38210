#include "common/document/endorser_list.hpp"

#include "common/base/text.hpp"
#include "common/document/fields.hpp"
#include "common/document/forms.hpp"
#include "common/document/header.hpp"
#include "common/document/members.hpp"
#include "common/document/model.hpp"

namespace imageswarm::document {
namespace {

constexpr std::size_t max_endorsers = 10'000;
constexpr std::size_t max_includes = 32;
constexpr std::size_t max_exceptions = 1'000;

auto const document_name = fitting(is_document_name, "a document's name");

/// A host that passed a key over would accept more than was meant.
template <class T>
Result<T> complete(Fields const& fields, std::string_view what, T read) {
  if (auto outcome = fields.outcome(); !outcome) return fail(std::move(outcome.error()));
  for (auto const& member : fields.rest()) {
    return fail(field_error(member.line, fmt::format("{} has no key '{}'", what, printable(member.key))));
  }
  return read;
}

Result<Inclusion::Exception> exception_from(yaml::Value const& value) {
  Inclusion::Exception read;
  Fields fields{value};
  fields.required("subject", read.subject, text);
  fields.required("issuer", read.issuer, text);
  return complete(fields, "an exception", std::move(read));
}

}  // namespace

Result<Endorsement> endorsement_from(yaml::Value const& value) {
  Endorsement read;
  Fields fields{value};
  fields.optional("name", read.name, line);
  fields.required("subject", read.subject, text);
  fields.required("issuer", read.issuer, text);
  fields.optional("contact", read.contact, line);
  fields.required("catalogue", read.catalogue, web_url);
  fields.required("document", read.document, document_name);
  fields.optional("epoch", read.epoch, number(1, max_number));
  return complete(fields, "an endorser", std::move(read));
}

yaml::Value to_value(Endorsement const& endorser) {
  Members members;
  members.add("name", endorser.name);
  members.add("subject", endorser.subject);
  members.add("issuer", endorser.issuer);
  members.add("contact", endorser.contact);
  members.add("catalogue", endorser.catalogue);
  members.add("document", endorser.document);
  members.add("epoch", std::to_string(endorser.epoch));
  return {std::move(members).map()};
}

Result<Inclusion> inclusion_from(yaml::Value const& value) {
  Inclusion read;
  Fields fields{value};
  fields.required("list", read.list, web_url);
  fields.required("document", read.document, document_name);
  fields.required("subject", read.subject, text);
  fields.required("issuer", read.issuer, text);
  fields.optional("except", read.except, list_of(exception_from, max_exceptions));
  return complete(fields, "an included list", std::move(read));
}

yaml::Value to_value(Inclusion const& inclusion) {
  Members members;
  members.add("list", inclusion.list);
  members.add("document", inclusion.document);
  members.add("subject", inclusion.subject);
  members.add("issuer", inclusion.issuer);
  yaml::Value::List except;
  for (auto const& [subject, issuer] : inclusion.except) {
    except.push_back({yaml::Value::Map{{"subject", {subject}}, {"issuer", {issuer}}}});
  }
  members.add("except", std::move(except));
  return {std::move(members).map()};
}

Result<EndorserList> parse_endorser_list(std::string_view body) {
  auto const top = yaml::parse(body);
  if (!top) return fail(top.error());
  EndorserList list;
  Fields fields{*top};
  auto header = read_header(*top, fields, Kind::endorser_list);
  if (!header) return fail(std::move(header.error()));
  list.header = *header;
  fields.optional("endorsers", list.endorsers, list_of(endorsement_from, max_endorsers));
  fields.optional("includes", list.includes, list_of(inclusion_from, max_includes));
  list.extra = fields.rest();
  return fields.outcome().map([&] { return std::move(list); });
}

std::string write(EndorserList const& list) {
  Members members{members_of(list.header)};
  yaml::Value::List endorsers, includes;
  for (auto const& endorser : list.endorsers) endorsers.push_back(to_value(endorser));
  for (auto const& inclusion : list.includes) includes.push_back(to_value(inclusion));
  members.put("endorsers", {std::move(endorsers)});
  members.put("includes", {std::move(includes)});
  members.add(list.extra);
  return yaml::write({std::move(members).map()});
}

}  // namespace imageswarm::document
