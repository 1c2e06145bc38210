#include "common/trust/verify.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "common/trust/acceptance.hpp"
#include "common/trust/endorsers.hpp"
#include "common/trust/envelope.hpp"
#include "common/trust/signature.hpp"

namespace imageswarm::trust {
namespace {

Result<> check_signer(Signer const& signer, Expectation const& expected) {
  auto const among = [&](std::vector<SignerPattern> const& patterns) {
    return std::ranges::any_of(patterns, [&](auto const& each) { return each.matches(signer); });
  };
  if (expected.any_signer || among(expected.signers)) return {};
  if (expected.elsewhere && among(*expected.elsewhere)) {
    return fail(Fault::signer_wrong_role, "{} may sign other documents, but not this one",
                printable(signer.text(), 500));
  }
  return fail(Fault::signer_not_listed, "{} is not among those who may sign it", printable(signer.text(), 500));
}

Result<> check_kind(document::Kind demanded, document::Kind kind) {
  if (demanded == kind) return {};
  return fail(Fault::kind_mismatch, "it is read as a {}, but a {} is demanded", name_of(kind), name_of(demanded));
}

/// A rule whose names cannot be read would silently match nothing: fatal for a recall.
Result<document::ApprovalList> parse_rules(std::string_view body) {
  auto list = document::parse_approval_list(body);
  if (!list) return list;
  for (auto const* rules : {&list->approve, &list->recall}) {
    for (auto const& rule : *rules) {
      for (auto const& name : {rule.endorser, rule.issuer}) {
        if (!name) continue;
        if (auto parsed = DistinguishedName::parse(*name); !parsed) {
          return fail(Fault::doc_field, "rule '{}': {}", rule.describe(), parsed.error().what);
        }
      }
    }
  }
  return list;
}

}  // namespace

/// The only maker of `Verified`.
struct Verification {
  template <class T>
  static Result<Verified<T>> run(std::string_view bytes, AnchorPolicy const& anchors, Expectation const& expected,
                                 Floors const& floors, Time const& time, Result<T> (*parse)(std::string_view body)) {
    if (auto clock = check_clock(time); !clock) return fail(std::move(clock.error()));
    auto const envelope = open_envelope(bytes);
    if (!envelope) return fail(envelope.error());
    auto signature = verify_signature(envelope->body, envelope->signature, anchors, time.now);
    if (!signature) return fail(std::move(signature.error()));
    if (auto listed = check_signer(signature->signer, expected); !listed) return fail(std::move(listed.error()));
    auto content = parse(envelope->body);
    if (!content) return fail(std::move(content.error()));
    if (auto good = check_header(content->header, expected, time.now); !good) return fail(std::move(good.error()));

    Origin origin{std::move(signature->signer), signature->signing_time, digest_of<Sha256>(bytes),
                  digest_of<Sha256>(envelope->body)};
    Verified<T> verified{std::move(*content), std::move(origin)};
    if (auto const accepted = floors.find(verified.key()); accepted != floors.end()) {
      if (auto good = check_serial(verified.floor(), accepted->second); !good) return fail(std::move(good.error()));
    }
    return verified;
  }
};

Result<VerifiedCatalogue> verify_catalogue(std::string_view bytes, AnchorPolicy const& anchors,
                                           Expectation const& expected, Floors const& floors, Time const& time) {
  if (auto kind = check_kind(expected.kind, document::Kind::catalogue); !kind) return fail(std::move(kind.error()));
  return Verification::run(bytes, anchors, expected, floors, time, document::parse_catalogue);
}

Result<VerifiedApprovalList> verify_approval_list(std::string_view bytes, AnchorPolicy const& anchors,
                                                  Expectation const& expected, Floors const& floors, Time const& time) {
  if (auto kind = check_kind(expected.kind, document::Kind::approval_list); !kind) return fail(std::move(kind.error()));
  return Verification::run(bytes, anchors, expected, floors, time, parse_rules);
}

Result<VerifiedEndorserList> verify_endorser_list(std::string_view bytes, AnchorPolicy const& anchors,
                                                  Expectation const& expected, Floors const& floors, Time const& time) {
  if (auto kind = check_kind(expected.kind, document::Kind::endorser_list); !kind) return fail(std::move(kind.error()));
  return Verification::run(bytes, anchors, expected, floors, time, parse_plain_list);
}

Result<document::Kind> claimed_kind(std::string_view bytes) {
  static constexpr std::string_view key = "document:";
  for (auto const line : split(bytes.substr(0, 4096), '\n')) {
    if (!line.starts_with(key)) continue;
    auto const claimed = trimmed(line.substr(key.size()));
    for (auto const kind : {document::Kind::catalogue, document::Kind::endorser_list, document::Kind::approval_list}) {
      if (claimed == name_of(kind)) return kind;
    }
    return fail(Fault::kind_mismatch, "'{}' is no kind of document that is known here", printable(claimed));
  }
  return fail(Fault::kind_mismatch, "it does not begin with 'document: KIND': this is no document of ours");
}

}  // namespace imageswarm::trust
