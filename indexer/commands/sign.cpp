#include "indexer/commands/sign.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "common/trust/endorsers.hpp"
#include "common/trust/verify.hpp"
#include "indexer/commands/seen_lists.hpp"
#include "indexer/commands/signing.hpp"
#include "indexer/commands/unsigned_list.hpp"

namespace imageswarm::commands {
namespace {

/// The serial after that of an earlier output of the same list; 1 where there is none.
template <class List>
Result<std::uint64_t> serial_after(std::filesystem::path const& output, std::string const& name,
                                   Result<List> (*parse)(std::string_view body)) {
  auto const text = read_file(output, document::max_document_size);
  if (!text && text.error().fault == Fault::not_found) return 1;
  if (!text) return fail(text.error());
  auto const earlier = parse(text->substr(0, text->find("\nx509-signature:") + 1));
  if (!earlier || earlier->header.name != name) {
    return fail(Fault::exists, "{} is there and is not an earlier version of {}", printable(output.native()), name);
  }
  return earlier->header.serial + 1;
}

std::string summary(document::ApprovalList const& list) {
  return fmt::format("{} approved, {} recalled", list.approve.size(), list.recall.size());
}

std::string summary(document::EndorserList const& list) {
  return fmt::format("{} endorsers, {} included lists", list.endorsers.size(), list.includes.size());
}

Result<> check_ready(document::ApprovalList const&, std::filesystem::path const&) {
  return {};
}

/// Whoever signs a list that builds on others must have seen what these say.
Result<> check_ready(document::EndorserList const& list, std::filesystem::path const& path) {
  auto const seen = read_seen_lists(path);
  if (!seen) return fail(seen.error());
  if (seen->covers(list)) return {};
  return fail(Fault::usage,
              "its included lists have not been looked at as they stand in it: run `imageswarm-index endorsers sync "
              "--list '{}' --anchors DIR` and read what has changed",
              printable(path.native()));
}

template <class List>
Result<> sign_list(SignOptions const& options, Result<List> (*parse)(std::string_view body), Context& context) {
  auto list = read_unsigned_list(options.list, parse);
  if (!list) return fail(std::move(list.error()));
  if (auto ready = check_ready(*list, options.list); !ready) return ready;
  auto const least = serial_after(options.output, list->header.name, parse);
  if (!least) return fail(least.error());
  auto const now = context.clock.now();
  auto const identity = load_identity(options.certificate, options.key, options.lifetime, now);
  if (!identity) return fail(identity.error());

  auto& header = list->header;
  header.serial = std::max(header.serial, *least);
  header.issued = now;
  header.expires = now + options.lifetime;
  auto const document = identity->sign(document::write(*list));
  if (!document) return fail(document.error());
  auto const serial = header.serial++;
  if (auto kept = write_file_atomically(options.list, document::write(*list)); !kept) return kept;
  if (auto written = write_file_atomically(options.output, *document); !written) return written;

  context.output.say("signed {} serial {}: {}", header.name, serial, summary(*list));
  context.output.say("  signed by    {}", identity->signer().text());
  context.output.say("  valid until  {}", format_time(header.expires));
  context.output.say("  document     {}", printable(options.output.native()));
  context.output.result({{"name", header.name},
                         {"serial", serial},
                         {"issued", format_time(header.issued)},
                         {"expires", format_time(header.expires)},
                         {"subject", identity->signer().subject.text()},
                         {"issuer", identity->signer().issuer.text()},
                         {"output", options.output.native()}});
  return {};
}

}  // namespace

Result<> sign(SignOptions const& options, Context& context) {
  context.output.about(options.list.native());
  std::error_code error;
  if (std::filesystem::equivalent(options.list, options.output, error)) {
    return fail(Fault::usage, "--output must be another file than the list itself");
  }
  auto const lock = lock_list(options.list);
  if (!lock) return fail(lock.error());
  auto const text = unsigned_text(options.list);
  if (!text) return fail(text.error());
  auto const kind = trust::claimed_kind(*text);
  if (!kind) return fail(kind.error());
  switch (*kind) {
    case document::Kind::approval_list:
      return sign_list(options, document::parse_approval_list, context);
    case document::Kind::endorser_list:
      return sign_list(options, trust::parse_plain_list, context);
    case document::Kind::catalogue:
      break;
  }
  return fail(Fault::usage, "a catalogue is signed by `publish`");
}

}  // namespace imageswarm::commands
