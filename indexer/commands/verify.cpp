#include "indexer/commands/verify.hpp"

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "common/document/endorser_list.hpp"
#include "common/http/client.hpp"
#include "common/trust/endorsers.hpp"
#include "indexer/commands/demanded_signer.hpp"
#include "indexer/commands/entry_json.hpp"
#include "indexer/commands/source.hpp"

namespace imageswarm::commands {
namespace {

Result<trust::Expectation> expectation(VerifyOptions const& options, document::Kind kind) {
  auto const signer = demanded_signer(options.subject, options.issuer);
  if (!signer) return fail(signer.error());
  trust::Expectation expected;
  expected.kind = kind;
  expected.any_signer = !*signer;
  if (*signer) expected.signers = {**signer};
  return expected;
}

/// What every kind of document has to tell.
nlohmann::ordered_json tell(document::Header const& header, trust::Origin const& origin, Context& context) {
  auto& output = context.output;
  output.say("good: {} {} serial {} (epoch {})", name_of(header.kind), header.name, header.serial, header.epoch);
  output.say("  signed by    {}", origin.signer.subject.text());
  output.say("  issuer       {}", origin.signer.issuer.text());
  output.say("  issued       {}", format_time(header.issued));
  output.say("  valid until  {} ({} from now)", format_time(header.expires),
             human(header.expires - context.clock.now()));
  return {{"document", name_of(header.kind)},
          {"name", header.name},
          {"epoch", header.epoch},
          {"serial", header.serial},
          {"issued", format_time(header.issued)},
          {"expires", format_time(header.expires)},
          {"subject", origin.signer.subject.text()},
          {"issuer", origin.signer.issuer.text()},
          {"signing-time", format_time(origin.signing_time)},
          {"sha256", origin.digest.hex()}};
}

Result<> verify_catalogue(std::string const& bytes, VerifyOptions const& options, trust::Expectation const& expected,
                          Context& context) {
  auto const good = trust::verify_catalogue(bytes, options.anchors, expected, {}, {context.clock.now()});
  if (!good) return fail(good.error());
  auto const& catalogue = good->content();
  auto json = tell(catalogue.header, good->origin(), context);
  context.output.say("  images       {}, withdrawn {}", catalogue.images.size(), catalogue.withdrawn.size());
  json["images"] = nlohmann::ordered_json::array();
  for (auto const& image : catalogue.images) {
    context.output.say("    {}@{}  {}  {}{}", image.name, image.version.text, image.image_id.text(),
                       human(image.content_size), image.torrent.ssl ? "  private" : "");
    json["images"].push_back({{"image-id", image.image_id.text()},
                              {"uuid", image.uuid.text()},
                              {"name", image.name},
                              {"image-version", image.version.text},
                              {"content-sha256", image.content_sha256.hex()},
                              {"torrent-ssl", image.torrent.ssl}});
  }
  json["withdrawn"] = catalogue.withdrawn.size();
  context.output.result(json);
  return {};
}

Result<> verify_approvals(std::string const& bytes, VerifyOptions const& options, trust::Expectation const& expected,
                          Context& context) {
  auto const good = trust::verify_approval_list(bytes, options.anchors, expected, {}, {context.clock.now()});
  if (!good) return fail(good.error());
  auto json = tell(good->content().header, good->origin(), context);
  context.output.say("  rules        {} approve, {} recall", good->content().approve.size(),
                     good->content().recall.size());
  json["approve"] = good->content().approve.size();
  json["recall"] = good->content().recall.size();
  context.output.result(json);
  return {};
}

Result<> verify_endorsers(std::string const& bytes, VerifyOptions const& options, trust::Expectation const& expected,
                          Context& context) {
  auto const good = trust::verify_endorser_list(bytes, options.anchors, expected, {}, {context.clock.now()});
  if (!good) return fail(good.error());
  auto const& list = good->content();
  auto json = tell(list.header, good->origin(), context);
  context.output.say("  endorsers    {}, included lists {}", list.endorsers.size(), list.includes.size());
  json["endorsers"] = nlohmann::ordered_json::array();
  for (auto const& endorser : list.endorsers) {
    context.output.say("    {}", trust::describe(endorser));
    json["endorsers"].push_back(entry_json(document::to_value(endorser)));
  }
  json["includes"] = nlohmann::ordered_json::array();
  for (auto const& inclusion : list.includes) {
    context.output.say("    and the list {} ({})", inclusion.document, inclusion.list);
    json["includes"].push_back(entry_json(document::to_value(inclusion)));
  }
  context.output.result(json);
  return {};
}

Result<> verify_kind(std::string const& bytes, VerifyOptions const& options, trust::Expectation const& expected,
                     Context& context) {
  switch (expected.kind) {
    case document::Kind::catalogue:
      return verify_catalogue(bytes, options, expected, context);
    case document::Kind::approval_list:
      return verify_approvals(bytes, options, expected, context);
    case document::Kind::endorser_list:
      return verify_endorsers(bytes, options, expected, context);
  }
  return fail(Fault::internal, "a document of no kind");
}

}  // namespace

Result<> verify(VerifyOptions const& options, Context& context) {
  context.output.about("document (" + printable(http::shown(options.source)) + ")");
  auto const bytes = read_source(options.source);
  if (!bytes) return fail(bytes.error());
  auto const kind = trust::claimed_kind(*bytes);
  if (!kind) return fail(kind.error());
  context.output.about(fmt::format("{} ({})", name_of(*kind), printable(http::shown(options.source))));
  auto const expected = expectation(options, *kind);
  if (!expected) return fail(expected.error());
  auto const done = verify_kind(*bytes, options, *expected, context);
  // For a host its anchors are a matter of trust; here they are an argument.
  if (!done && done.error().fault == Fault::anchors_unreadable) {
    return fail(Fault::usage, "--anchors: {}", done.error().what);
  }
  return done;
}

}  // namespace imageswarm::commands
