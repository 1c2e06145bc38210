#include "indexer/commands/publish.hpp"

#include <nlohmann/json.hpp>
#include <vector>

#include "common/base/file.hpp"
#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "common/torrent/torrent.hpp"
#include "common/trust/envelope.hpp"
#include "common/trust/sign.hpp"
#include "indexer/commands/signing.hpp"
#include "indexer/store/page.hpp"
#include "indexer/store/publication.hpp"

namespace imageswarm::commands {
namespace {

/// Is what we hold of this image what the entry promises? The torrent passes the gate of the hosts.
Result<> check_files(store::Item const& item, store::Store const& store) {
  ByteCount total;
  for (auto const& file : store::files_of(item.image.torrent)) {
    auto const size = open_regular(store.artefact(item.image).parent_path() / file).and_then([](auto const& fd) {
      return size_of(fd);
    });
    if (!size) return fail(size.error());
    total += *size;
  }
  if (total != item.image.torrent.content_size) {
    return fail(Fault::state_corrupt, "{} has {} bytes instead of {}", printable(store.artefact(item.image).native()),
                total.value, item.image.torrent.content_size.value);
  }
  auto torrent = read_file(store.torrent(item.image), torrent::max_torrent_size);
  if (!torrent) return fail(std::move(torrent.error()));
  auto const admitted = torrent::admit(std::move(*torrent), item.image.torrent);
  if (!admitted) return fail(Error{admitted.error()}.in(item.label()));
  return {};
}

Result<document::Catalogue> compile(store::Store const& store, document::Header header, trust::Signer const& signer) {
  auto const& settings = store.settings();
  document::Catalogue catalogue;
  catalogue.header = std::move(header);
  catalogue.endorser = {settings.endorser_name, signer.subject.text(), settings.contact};
  catalogue.trackers = settings.trackers;
  catalogue.web_seeds = settings.web_seeds;
  for (auto const& item : store.items()) {
    auto const listed = store::is_listed(item);
    if (!listed) return fail(listed.error());
    if (*listed) {
      if (auto good = check_files(item, store); !good) return fail(std::move(good.error()));
      catalogue.images.push_back(item.image);
    }
    if (item.state == store::State::withdrawn) {
      catalogue.withdrawn.push_back({item.image.image_id, item.image.uuid, item.withdrawn_at, item.reason});
    }
  }
  return catalogue;
}

/// The signed bytes, read back once as a host will read them.
Result<std::string> signed_catalogue(document::Catalogue const& catalogue, trust::SigningIdentity const& identity) {
  auto const body = document::write(catalogue);
  auto const parsed = document::parse_catalogue(body);
  if (!parsed) return fail(Fault::internal, "the catalogue cannot be read back: {}", parsed.error().what);
  if (!parsed->refused.empty()) return fail(Fault::doc_field, "{}", parsed->refused.front().error.what);
  if (document::write(*parsed) != body) return fail(Fault::internal, "the catalogue reads back as another one");
  auto document = identity.sign(body);
  if (document && !document->starts_with(body)) return fail(Fault::internal, "the signature changed the catalogue");
  return document;
}

/// Hosts accept who is listed and count serials by signer, so another certificate by mistake stops them all.
void warn_of_another_signer(store::Store const& store, trust::Signer const& signer) {
  auto const text = read_file(store.publication() / "catalogue.yaml", document::max_document_size);
  auto const envelope = text ? trust::open_envelope(*text) : tl::unexpected{text.error()};
  auto const before = envelope ? document::parse_catalogue(envelope->body) : tl::unexpected{envelope.error()};
  if (!before || before->endorser.subject == signer.subject.text()) return;
  log_warning("the last catalogue is by {}, this one by {}: hosts take it only if they list the new signer",
              printable(before->endorser.subject, 500), signer.subject.text());
}

/// The serial is used up and the images count as published before anybody can see them.
Result<> reserve(store::Store& store, document::Header const& header) {
  auto settings = store.settings();
  settings.epoch = header.epoch;
  settings.serial = header.serial;
  if (auto saved = store.save(settings); !saved) return saved;
  std::vector<store::Item> fresh;
  for (auto const& item : store.items()) {
    if (item.state == store::State::endorsed && item.published == 0) fresh.push_back(item);
  }
  for (auto& item : fresh) {
    item.published = header.serial;
    if (auto saved = store.save(item); !saved) return saved;
  }
  return {};
}

void tell(document::Catalogue const& catalogue, trust::Signer const& signer, store::Store const& store,
          Context& context) {
  auto const& header = catalogue.header;
  auto const path = (store.publication() / "catalogue.yaml").lexically_normal();
  auto& output = context.output;
  output.say("published {} serial {} (epoch {})", header.name, header.serial, header.epoch);
  output.say("  signed by    {}", signer.text());
  output.say("  valid until  {}", format_time(header.expires));
  output.say("  images       {}, withdrawn {}", catalogue.images.size(), catalogue.withdrawn.size());
  output.say("  catalogue    {}", printable(path.native()));
  for (auto const& item : store.items()) {
    if (item.state == store::State::managed) output.say("left out: {} is not endorsed", item.label());
    if (item.state == store::State::endorsed && item.image.expires && *item.image.expires <= header.issued) {
      output.say("note: {} expired {}; hosts will not use it", item.label(), format_time(*item.image.expires));
    }
  }
  output.result({{"name", header.name},
                 {"epoch", header.epoch},
                 {"serial", header.serial},
                 {"issued", format_time(header.issued)},
                 {"expires", format_time(header.expires)},
                 {"subject", signer.subject.text()},
                 {"issuer", signer.issuer.text()},
                 {"images", catalogue.images.size()},
                 {"withdrawn", catalogue.withdrawn.size()},
                 {"catalogue", path.native()}});
}

}  // namespace

Result<> publish(PublishOptions const& options, store::Store& store, Context& context) {
  context.output.about("catalogue " + store.settings().name);
  auto const identity = load_identity(options.certificate, options.key, options.lifetime, context.clock.now());
  return identity ? publish(options, *identity, store, context) : fail(identity.error());
}

Result<> publish(PublishOptions const& options, trust::SigningIdentity const& identity, store::Store& store,
                 Context& context) {
  auto const now = context.clock.now();
  auto const& settings = store.settings();
  auto const epoch = options.epoch.value_or(settings.epoch);
  if (epoch < settings.epoch) {
    return fail(Fault::usage, "--epoch: {} is lower than the {} of this store", epoch, settings.epoch);
  }
  warn_of_another_signer(store, identity.signer());
  auto const catalogue = compile(store,
                                 {document::Kind::catalogue, document::current_format, settings.name, epoch,
                                  settings.serial + 1, now, now + options.lifetime},
                                 identity.signer());
  if (!catalogue) return fail(catalogue.error());
  auto const document = signed_catalogue(*catalogue, identity);
  if (!document) return fail(document.error());
  if (auto reserved = reserve(store, catalogue->header); !reserved) return reserved;
  auto const shown = store::put_up(store, {catalogue->header.serial, *document,
                                           store::catalogue_page(*catalogue, identity.signer()), catalogue->images});
  if (!shown) return shown;
  auto const text = fmt::format("serial {} by {}; images {}, withdrawn {}", catalogue->header.serial,
                                identity.signer().text(), catalogue->images.size(), catalogue->withdrawn.size());
  if (auto noted = note(store, "published", text, now); !noted) return noted;
  tell(*catalogue, identity.signer(), store, context);
  return {};
}

}  // namespace imageswarm::commands
