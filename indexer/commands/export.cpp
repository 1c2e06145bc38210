#include "indexer/commands/export.hpp"

#include <nlohmann/json.hpp>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "common/document/forms.hpp"
#include "indexer/commands/signing.hpp"
#include "indexer/exchange/hepix_writer.hpp"

namespace imageswarm::commands {
namespace {

/// The published images that a HEPiX list can name: consumers take the file at its URL for the image itself.
Result<std::vector<document::Image>> nameable_images(store::Store const& store, Context& context) {
  std::vector<document::Image> images;
  std::vector<Error> left_out;
  for (auto const& item : store.items()) {
    auto const& image = item.image;
    bool const holds = !image.expires || *image.expires > context.clock.now();
    auto const listed = store::is_listed(item);
    if (!listed) return fail(listed.error());
    if (!*listed || item.published == 0 || !holds) continue;
    if (image.torrent.compression == document::Compression::none) {
      images.push_back(image);
    } else {
      left_out.push_back({Fault::usage, fmt::format("{} is left out: it is published packed, which the format cannot "
                                                    "say; add it with --compress none",
                                                    item.label())});
    }
  }
  if (images.empty() && !left_out.empty()) return fail(left_out.front());  // an empty list would take everything back
  for (auto const& error : left_out) context.output.missing(error);
  return images;
}

Result<> export_hepix(ExportOptions const& options, store::Store const& store, Context& context) {
  auto const& settings = store.settings();
  auto const base_url = document::web_seed({options.base_url});
  if (!base_url) return fail(Fault::usage, "--base-url: {}", base_url.error().what);
  if (settings.contact.empty()) return fail(Fault::usage, "a HEPiX list needs a contact; set it in store.yaml");
  auto const now = context.clock.now();
  auto const identity = load_identity(options.certificate, options.key, options.lifetime, now);
  if (!identity) return fail(identity.error());
  auto const images = nameable_images(store, context);
  if (!images) return fail(images.error());

  exchange::HepixHead const head{.title = settings.name,
                                 .contact = settings.contact,
                                 .endorser = settings.endorser_name,
                                 .base_url = *base_url,
                                 .file_name = options.file.filename().native(),
                                 .signer = identity->signer(),
                                 .created = now,
                                 .expires = std::min(now + options.lifetime, identity->signer().certificate_expires)};
  auto const message = identity->sign_smime(exchange::write_hepix(head, *images));
  if (!message) return fail(message.error());
  if (auto written = write_file_atomically(options.file, *message); !written) return written;
  context.output.say("exported {} images, valid until {}; to be served as {}{}", images->size(),
                     format_time(head.expires), head.base_url, printable(head.file_name));
  context.output.result({{"images", images->size()},
                         {"expires", format_time(head.expires)},
                         {"url", head.base_url + head.file_name},
                         {"file", options.file.native()}});
  return {};
}

Result<> export_page(ExportOptions const& options, store::Store const& store, Context& context) {
  constexpr ByteCount most{1u << 30};
  auto const page = read_file(store.publication() / "catalogue.html", most);
  if (!page) return fail(Error{page.error()}.in("nothing was published yet"));
  if (auto written = write_file_atomically(options.file, *page); !written) return written;
  context.output.say("exported the page of catalogue {}", store.settings().name);
  context.output.result({{"file", options.file.native()}});
  return {};
}

}  // namespace

Result<> export_list(ExportOptions const& options, store::Store const& store, Context& context) {
  return options.format == "html" ? export_page(options, store, context) : export_hepix(options, store, context);
}

}  // namespace imageswarm::commands
