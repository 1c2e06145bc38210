#include "indexer/commands/foreign_list.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "indexer/commands/demanded_signer.hpp"
#include "indexer/commands/source.hpp"
#include "indexer/exchange/cern.hpp"
#include "indexer/exchange/hepix.hpp"
#include "indexer/exchange/openpgp.hpp"

namespace imageswarm::commands {
namespace {

using exchange::ForeignList;
using exchange::OpenPgpText;

Result<ForeignList> read_hepix(ImportOptions const& options, TimePoint now) {
  if (options.anchors.anchors.empty()) return fail(Fault::usage, "--format hepix needs --anchors");
  auto const demanded = demanded_signer(options.subject, options.issuer);
  if (!demanded) return fail(demanded.error());
  auto const message = read_source(options.source);
  if (!message) return fail(message.error());
  auto list = exchange::read_hepix(*message, options.anchors, *demanded, now);
  if (list && is_url(options.source) && list->home != options.source) {
    list->warnings.push_back(fmt::format("it says that it lives at {}", printable(list->home)));
  }
  return list;
}

/// A file of a mirror: `.sjson` is signed in itself, anything else has its signature beside it in `.gpg`.
Result<OpenPgpText> read_stream(std::string const& source, std::filesystem::path const& keyring) {
  auto text = read_source(source);
  if (!text) return fail(std::move(text.error()));
  if (source.ends_with(".sjson")) return exchange::verify_clear_signed(*text, keyring);
  auto const signature = read_source(source + ".gpg");
  if (!signature && signature.error().fault == Fault::not_found) {
    return fail(Fault::sig_missing, "{}", signature.error().what);
  }
  if (!signature) return fail(signature.error());
  return exchange::verify_detached(std::move(*text), *signature, keyring);
}

/// Every path in the format is relative to the mirror's root, not to the file that has it.
Result<std::string> mirror_root(ImportOptions const& options) {
  constexpr std::string_view streams = "streams/v1/";
  if (!options.mirror.empty()) return options.mirror.ends_with('/') ? options.mirror : options.mirror + "/";
  auto const at = options.source.rfind(streams);
  if (at == std::string::npos) {
    return fail(Fault::usage, "the list does not lie in {}; say with --mirror where the mirror begins", streams);
  }
  return at == 0 ? "./" : options.source.substr(0, at);
}

/// The products file that the index names; of several, the one that is asked for.
Result<std::string> products_path(std::string_view index, std::string const& content_id) {
  auto contents = exchange::parse_stream_index(index);
  if (!contents) return fail(std::move(contents.error()));
  std::vector<std::string> ids;
  for (auto const& content : *contents) {
    if (content_id == content.id || (content_id.empty() && contents->size() == 1)) return content.path;
    ids.push_back(printable(content.id));
  }
  return fail(Fault::usage, "choose with --content-id one of: {}", ids.empty() ? "(none)" : join(ids, ", "));
}

Result<ForeignList> read_simplestreams(ImportOptions const& options) {
  if (options.keyring.empty()) return fail(Fault::usage, "--format simplestreams needs --keyring");
  auto const root = mirror_root(options);
  if (!root) return fail(root.error());
  auto home = options.source;
  auto stream = read_stream(home, options.keyring);
  if (stream && exchange::is_stream_index(stream->text)) {
    auto const path = products_path(stream->text, options.content_id);
    if (!path) return fail(path.error());
    home = *root + *path;
    stream = read_stream(home, options.keyring);
  }
  if (!stream) return fail(std::move(stream.error()));
  auto list = exchange::parse_products(stream->text, *root, options.streams);
  if (!list) return list;
  list->home = home;
  list->signer = stream->signer;
  if (!is_url(*root)) list->files = *root;
  return list;
}

Result<ForeignList> read_cern(ImportOptions const& options) {
  if (!options.unsigned_list) {
    return fail(Fault::sig_missing,
                "the format has no signature that can be verified; --unsigned says that you vouch for it yourself");
  }
  auto const text = read_source(options.source);
  if (!text) return fail(text.error());
  auto list = exchange::parse_cern(*text);
  if (list) list->id = list->home = options.source;
  return list;
}

}  // namespace

Result<ForeignList> read_foreign_list(ImportOptions const& options, TimePoint now) {
  if (options.format == "hepix") return read_hepix(options, now);
  return options.format == "cern" ? read_cern(options) : read_simplestreams(options);
}

}  // namespace imageswarm::commands
