#include "indexer/commands/foreign_list.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "common/http/client.hpp"
#include "indexer/commands/demanded_signer.hpp"
#include "indexer/commands/source.hpp"
#include "indexer/exchange/cern.hpp"
#include "indexer/exchange/hepix.hpp"
#include "indexer/exchange/openpgp.hpp"

namespace imageswarm::commands {
namespace {

using exchange::ForeignList;
using exchange::OpenPgpText;
using exchange::StreamContent;

Result<ForeignList> read_hepix(ImportOptions const& options, TimePoint now) {
  if (options.anchors.anchors.empty()) return fail(Fault::usage, "--format hepix needs --anchors");
  auto const demanded = demanded_signer(options.subject, options.issuer);
  if (!demanded) return fail(demanded.error());
  auto const message = read_source(options.source);
  if (!message) return fail(message.error());
  auto list = exchange::read_hepix(*message, options.anchors, *demanded, now);
  if (!list) return list;
  if (is_url(options.source) && list->home != options.source) {
    list->warnings.push_back(fmt::format("it says that it lives at {}", http::shown(list->home)));
  }
  list->home = is_url(options.source) ? shown_source(options.source) : "";  // what it says itself could be another's
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
Result<StreamContent> choose_products(std::vector<StreamContent> const& contents, std::string const& content_id) {
  std::vector<std::string> ids;
  for (auto const& content : contents) {
    if (content_id == content.id || (content_id.empty() && contents.size() == 1)) return content;
    ids.push_back(printable(content.id));
  }
  return fail(Fault::usage, "choose with --content-id one of: {}", ids.empty() ? "(none)" : join(ids, ", "));
}

Result<ForeignList> read_simplestreams(ImportOptions const& options) {
  if (options.keyring.empty()) return fail(Fault::usage, "--format simplestreams needs --keyring");
  auto const root = mirror_root(options);
  if (!root) return fail(root.error());
  auto content_id = options.content_id;
  document::Version index_version;
  auto stream = read_stream(options.source, options.keyring);
  if (stream && exchange::is_stream_index(stream->text)) {
    auto const index = exchange::parse_stream_index(stream->text);
    if (!index) return fail(index.error());
    auto const content = choose_products(index->contents, content_id);
    if (!content) return fail(content.error());
    content_id = content->id;
    index_version = index->version;
    stream = read_stream(*root + content->path, options.keyring);
  }
  if (!stream) return fail(std::move(stream.error()));
  auto list = exchange::parse_products(stream->text, *root, options.streams);
  if (!list) return list;
  if (!content_id.empty() && list->id != content_id) {
    return fail(Fault::import_field, "content_id: the file for {} is that of {}", printable(content_id),
                printable(list->id));
  }
  list->home = shown_source(options.source);
  if (!options.content_id.empty()) list->home += "#" + options.content_id;
  list->index_version = index_version;
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
  if (list) list->id = list->home = shown_source(options.source);
  return list;
}

}  // namespace

Result<ForeignList> read_foreign_list(ImportOptions const& options, TimePoint now) {
  if (options.format == "hepix") return read_hepix(options, now);
  return options.format == "cern" ? read_cern(options) : read_simplestreams(options);
}

}  // namespace imageswarm::commands
