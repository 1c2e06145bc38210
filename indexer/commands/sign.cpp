#include "indexer/commands/sign.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "common/trust/verify.hpp"
#include "indexer/commands/approvals.hpp"
#include "indexer/commands/signing.hpp"

namespace imageswarm::commands {
namespace {

/// The serial after that of an earlier output of the same list; 1 where there is none.
Result<std::uint64_t> serial_after(std::filesystem::path const& output, document::Header const& header) {
  auto const text = read_file(output, document::max_document_size);
  if (!text && text.error().fault == Fault::not_found) return 1;
  if (!text) return fail(text.error());
  auto const earlier = document::parse_approval_list(text->substr(0, text->find("\nx509-signature:") + 1));
  if (!earlier || earlier->header.name != header.name) {
    return fail(Fault::exists, "{} is there and is not an earlier version of {}", printable(output.native()),
                header.name);
  }
  return earlier->header.serial + 1;
}

Result<> check_kind(std::filesystem::path const& path) {
  auto const text = read_file(path, document::max_document_size);
  if (!text) return fail(text.error());
  auto const kind = trust::claimed_kind(*text);
  if (!kind) return fail(kind.error());
  if (*kind == document::Kind::catalogue) return fail(Fault::usage, "a catalogue is signed by `publish`");
  if (*kind == document::Kind::endorser_list) return fail(Fault::usage, "endorser lists are not supported yet");
  return {};
}

}  // namespace

Result<> sign(SignOptions const& options, Context& context) {
  context.output.about(options.list.native());
  std::error_code error;
  if (std::filesystem::equivalent(options.list, options.output, error)) {
    return fail(Fault::usage, "--output must be another file than the list itself");
  }
  if (auto good = check_kind(options.list); !good) return good;
  auto list = read_unsigned_list(options.list);
  if (!list) return fail(std::move(list.error()));
  auto const least = serial_after(options.output, list->header);
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

  context.output.say("signed {} serial {}: {} approved, {} recalled", header.name, serial, list->approve.size(),
                     list->recall.size());
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

}  // namespace imageswarm::commands
