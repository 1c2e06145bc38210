#include "indexer/exchange/hepix.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>

#include "common/base/text.hpp"
#include "common/document/fields.hpp"
#include "common/document/forms.hpp"
#include "common/trust/acceptance.hpp"
#include "common/trust/slash_name.hpp"
#include "common/trust/smime.hpp"
#include "indexer/exchange/json.hpp"
#include "indexer/exchange/vocabulary.hpp"

namespace imageswarm::exchange {
namespace {

using document::Fields;
using document::scalar;

constexpr std::size_t max_images = 10'000;

/// What a list says of itself beside its images.
struct ListHead {
  Uuid identifier;
  std::string title, home, creator, dn, ca, vo;
  document::Version version;
  TimePoint created, expires;
};

Result<std::string> words(yaml::Value const& value) {
  if (!value.is_text()) return fail(Fault::import_field, "it is not a single value");
  return plain_text(value.text());
}

template <class D>
Result<D> digest(std::string_view text) {
  return D::parse(lower_case(trimmed(text)));
}

Result<ByteCount> size(std::string_view text) {
  return parse_number(trimmed(text), 1, document::max_number).map([](std::uint64_t n) { return ByteCount{n}; });
}

/// Very old lists have no root: then the fields of the list stand at the top.
yaml::Value const& root_of(yaml::Value const& top) {
  auto const* root = top.find("hv:imagelist");
  return root ? *root : top;
}

Error import_error(Error error, std::string_view about) {
  return Error{error.fault == Fault::doc_field ? Fault::import_field : error.fault, std::move(error.what)}.in(about);
}

Result<ListHead> read_head(yaml::Value const& root) {
  ListHead head;
  Fields list{root};
  list.required("dc:identifier", head.identifier, scalar(Uuid::parse));
  list.optional("dc:title", head.title, words);
  list.required("dc:date:created", head.created, scalar(parse_time));
  list.required("dc:date:expires", head.expires, scalar(parse_time));
  list.required("hv:version", head.version, scalar(version_of));
  list.optional("hv:uri", head.home, words);
  list.optional("ad:vo", head.vo, words);
  if (!list.outcome()) return fail(import_error(list.outcome().error(), "the list"));

  auto const* endorser = root.find("hv:endorser");
  auto const* person = endorser ? endorser->find("hv:x509") : nullptr;
  if (!person) return fail(Fault::import_field, "the list: hv:endorser has no hv:x509");
  Fields fields{*person};
  fields.optional("dc:creator", head.creator, words);
  fields.required("hv:dn", head.dn, words);
  fields.required("hv:ca", head.ca, words);
  if (!fields.outcome()) return fail(import_error(fields.outcome().error(), "the list: hv:endorser"));
  return head;
}

Result<> check_head(ListHead const& head, trust::Signer const& signer, TimePoint now) {
  if (!trust::is_slash_text_of(head.dn, signer.subject)) {
    return fail(Fault::signer_not_listed, "the list names {} as its endorser, but {} signed it", head.dn,
                printable(signer.subject.text()));
  }
  if (!trust::is_slash_text_of(head.ca, signer.issuer)) {
    return fail(Fault::signer_not_listed, "the list names the CA {}, but its signer's is {}", head.ca,
                printable(signer.issuer.text()));
  }
  if (head.created > now + trust::clock_tolerance) {
    return fail(Fault::doc_future, "the list was created {}, which has not come yet", format_time(head.created));
  }
  if (now > head.expires) return fail(Fault::doc_expired, "the list expired {}", format_time(head.expires));
  return {};
}

/// hv:format was never specified: only what is a format of Glance's is a promise that the content must keep.
std::string disk_format_of(std::string_view format) {
  static constexpr std::string_view formats[] = {"raw", "qcow2", "vmdk", "vhd", "vhdx", "vdi", "iso"};
  auto const lower = lower_case(format);
  return std::ranges::find(formats, lower) == std::end(formats) ? "" : lower;
}

Result<ForeignImage> read_image(yaml::Value const& value, ListHead const& list) {
  ForeignImage image;
  std::string title, description, hypervisor, format, architecture, distribution, os_version, ram, expires;
  image.version = list.version;
  Fields fields{value};
  fields.required("dc:identifier", image.family, scalar(Uuid::parse));
  fields.required("hv:uri", image.url, words);
  fields.required("sl:checksum:sha512", image.sha512, scalar(digest<Sha512>));
  fields.optional("hv:size", image.size, scalar(size));
  fields.optional("hv:version", image.version, scalar(version_of));
  fields.optional("dc:title", title, words);
  fields.optional("dc:description", description, words);
  fields.optional("hv:hypervisor", hypervisor, words);
  fields.optional("hv:format", format, words);
  fields.optional("sl:arch", architecture, words);
  fields.optional("sl:osname", distribution, words);
  fields.optional("sl:osversion", os_version, words);
  fields.optional("hv:ram_minimum", ram, words);
  fields.optional("dc:date:expires", expires, words);
  if (!fields.outcome()) return fail(fields.outcome().error());

  image.name = image_name_of(title.empty() ? image.family.text() : title);
  image.file = std::filesystem::path{image.url.substr(0, image.url.find_first_of("?#"))}.filename();
  image.disk_format = disk_format_of(format);
  auto const put = [&image](char const* key, std::string text) {
    if (!text.empty()) image.entry[key] = {std::move(text)};
  };
  put("description", description);
  put("hypervisor", lower_case(hypervisor));
  put("architecture", architecture_of(architecture));
  put("os-distro", distribution_of(distribution));
  put("os-version", os_version);
  if (parse_number(ram, 1, UINT32_MAX)) put("min-ram", ram);
  put("expires", expires);
  put("local-endorser", list.creator);
  for (auto const vo : split(list.vo, ',')) {
    if (!trimmed(vo).empty()) image.entry["vo-tags"].emplace_back(trimmed(vo));
  }
  return image;
}

}  // namespace

Result<ForeignList> parse_hepix(std::string_view json, trust::Signer const& signer, TimePoint now) {
  auto const top = parse_json(json);
  if (!top) return fail(top.error());
  auto const& root = root_of(*top);
  auto const* images = root.find("hv:images");
  if (!images || !images->is_list()) return fail(Fault::import_format, "it is not a HEPiX image list: no hv:images");
  if (images->list().size() > max_images) {
    return fail(Fault::too_large, "the list has {} images; at most {} are read", images->list().size(), max_images);
  }
  auto const head = read_head(root);
  if (!head) return fail(head.error());
  if (auto good = check_head(*head, signer, now); !good) return fail(std::move(good.error()));

  ForeignList list{.title = head->title,
                   .id = head->identifier.text(),
                   .home = head->home,
                   .signer = signer.text(),
                   .version = head->version,
                   .index_version = {},
                   .files = {},
                   .images = {},
                   .skipped = {},
                   .warnings = {}};
  if (&root == &*top) list.warnings.emplace_back("the list has no hv:imagelist, as those of long ago");
  for (std::size_t i = 0; i < images->list().size(); ++i) {
    auto const& item = images->list()[i];
    auto const* value = item.find("hv:image");
    auto image = read_image(value ? *value : item, *head);
    if (image) {
      list.images.push_back(std::move(*image));
    } else {
      list.skipped.push_back(fmt::format("image {} of the list: {}", i + 1, image.error().what));
    }
  }
  return list;
}

Result<ForeignList> read_hepix(std::string_view message, trust::AnchorPolicy const& anchors,
                               std::optional<trust::SignerPattern> const& demanded, TimePoint now) {
  auto const opened = trust::verify_smime(message, anchors, now);
  if (!opened) return fail(opened.error());
  auto const& signer = opened->signature.signer;
  if (demanded && !demanded->matches(signer)) {
    return fail(Fault::signer_not_listed, "{} signed it, which is not who is demanded", printable(signer.text(), 500));
  }
  return parse_hepix(opened->text, signer, now);
}

}  // namespace imageswarm::exchange
