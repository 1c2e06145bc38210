#include <set>

#include "common/base/text.hpp"
#include "common/document/fields.hpp"
#include "common/document/forms.hpp"
#include "common/document/header.hpp"
#include "common/document/members.hpp"
#include "common/document/model.hpp"

namespace imageswarm::document {
namespace {

/// What can be read of an entry that is not used.
RefusedEntry refused_entry(yaml::Value const& entry, std::string_view what, Error error) {
  RefusedEntry refused{.name = {}, .image_id = {}, .error = std::move(error), .line = entry.line};
  if (auto const* name = entry.find("name"); name && name->is_text()) refused.name = printable(name->text(), 128);
  if (auto const* id = entry.find("image-id"); id && id->is_text()) {
    if (auto parsed = Uuid::parse(id->text())) refused.image_id = *parsed;
  }
  auto const name = refused.image_id && refused.name.empty() ? refused.image_id->text() : refused.name;
  refused.error.what = fmt::format("{} '{}': {}", what, name, refused.error.what);
  return refused;
}

Result<Image> published_image_from(yaml::Value const& entry) {
  auto image = image_from(entry);
  if (image && image->endorsed == TimePoint{}) {
    return fail(Fault::doc_field, "line {}: endorsed: it is missing", entry.line);
  }
  return image;
}

/// Takes the entries of `images` as they are read.
class Images {
public:
  explicit Images(Catalogue& catalogue) : catalogue_{catalogue} {}

  Result<> take(yaml::Value const& entry) {
    auto image = published_image_from(entry);
    auto id = image ? std::optional{image->image_id} : std::nullopt;
    if (image) {
      catalogue_.images.push_back(std::move(*image));
    } else {
      catalogue_.refused.push_back(refused_entry(entry, "image", std::move(image.error())));
      id = catalogue_.refused.back().image_id;
    }
    if (!id || seen_.insert(*id).second) return {};
    return fail(Fault::doc_field, "line {}: the image ID {} is listed twice", entry.line, id->text());
  }

private:
  Catalogue& catalogue_;
  std::set<Uuid> seen_;
};

Result<Endorser> endorser_from(yaml::Value const& value) {
  Endorser endorser;
  Fields fields{value};
  fields.optional("name", endorser.name, line);
  fields.optional("subject", endorser.subject, text);
  fields.optional("contact", endorser.contact, line);
  return fields.outcome().map([&] { return endorser; });
}

Result<Withdrawal> withdrawal_from(yaml::Value const& value) {
  Withdrawal withdrawal;
  Fields fields{value};
  fields.required("image-id", withdrawal.image_id, scalar(Uuid::parse));
  fields.required("uuid", withdrawal.uuid, scalar(Uuid::parse));
  fields.required("at", withdrawal.at, scalar(parse_time));
  fields.optional("reason", withdrawal.reason, text);
  return fields.outcome().map([&] { return withdrawal; });
}

Result<std::vector<Withdrawal>> read_withdrawn(yaml::Value const& value, Catalogue& catalogue) {
  if (!value.is_list()) return fail(Fault::doc_field, "it is not a list");
  std::vector<Withdrawal> withdrawn;
  for (auto const& entry : value.list()) {
    if (auto read = withdrawal_from(entry)) {
      withdrawn.push_back(std::move(*read));
    } else {
      catalogue.refused.push_back(refused_entry(entry, "withdrawal", std::move(read.error())));
      // Whatever else is wrong with it: what an endorser takes back is not used.
      if (auto const id = catalogue.refused.back().image_id) {
        withdrawn.push_back({*id, {}, catalogue.header.issued, "its withdrawal cannot be read in full"});
      }
    }
  }
  return withdrawn;
}

/// An image that is both listed and withdrawn is not used: nobody can say which of the two was meant.
void refuse_contradictions(Catalogue& catalogue) {
  std::set<Uuid> withdrawn;
  for (auto const& each : catalogue.withdrawn) withdrawn.insert(each.image_id);
  std::erase_if(catalogue.images, [&](Image const& image) {
    if (!withdrawn.contains(image.image_id)) return false;
    auto what = fmt::format("image '{}': {} is listed and withdrawn at once", image.name, image.image_id.text());
    catalogue.refused.push_back({image.name, image.image_id, {Fault::doc_field, std::move(what)}, 0});
    return true;
  });
}

yaml::Value to_value(Endorser const& endorser) {
  Members members;
  members.add("name", endorser.name);
  members.add("subject", endorser.subject);
  members.add("contact", endorser.contact);
  return {std::move(members).map()};
}

yaml::Value to_value(Withdrawal const& withdrawal) {
  Members members;
  members.add("image-id", withdrawal.image_id.text());
  members.add("uuid", withdrawal.uuid.text());
  members.add("at", withdrawal.at);
  members.add("reason", withdrawal.reason);
  return {std::move(members).map()};
}

/// Every image of the catalogue is given these lists, so they are short.
template <class Reader>
auto few(Reader reader) {
  return [reader](yaml::Value const& value) -> decltype(reader(value)) {
    auto list = reader(value);
    if (list && list->size() > max_sources) return fail(Fault::doc_field, "it has more than {} entries", max_sources);
    return list;
  };
}

}  // namespace

Result<Catalogue> parse_catalogue(std::string_view body) {
  Catalogue catalogue;
  Images images{catalogue};
  auto const top = yaml::parse_streaming(body, "images", [&](yaml::Value const& entry) { return images.take(entry); });
  if (!top) return fail(top.error());
  Fields fields{*top};
  auto header = read_header(*top, fields, Kind::catalogue);
  if (!header) return fail(std::move(header.error()));
  catalogue.header = *header;
  fields.optional("endorser", catalogue.endorser, endorser_from);
  fields.optional("trackers", catalogue.trackers, few(list_of(tracker)));
  fields.optional("web-seeds", catalogue.web_seeds, few(list_of(web_seed)));
  bool has_images = false;
  fields.optional("images", has_images, [](yaml::Value const& value) -> Result<bool> {
    if (!value.is_list()) return fail(Fault::doc_field, "it is not a list");
    return true;
  });
  fields.optional("withdrawn", catalogue.withdrawn,
                  [&](yaml::Value const& value) { return read_withdrawn(value, catalogue); });
  refuse_contradictions(catalogue);
  catalogue.extra = fields.rest();
  return fields.outcome().map([&] { return std::move(catalogue); });
}

std::string write(Catalogue const& catalogue) {
  Members members{members_of(catalogue.header)};
  members.put("endorser", to_value(catalogue.endorser));
  members.add("trackers", catalogue.trackers);
  members.add("web-seeds", catalogue.web_seeds);
  yaml::Value::List images, withdrawn;
  for (auto const& image : catalogue.images) images.push_back(to_value(image));
  for (auto const& each : catalogue.withdrawn) withdrawn.push_back(to_value(each));
  members.put("images", {std::move(images)});
  members.put("withdrawn", {std::move(withdrawn)});
  members.add(catalogue.extra);
  return yaml::write({std::move(members).map()});
}

}  // namespace imageswarm::document
