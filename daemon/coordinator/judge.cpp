#include "daemon/coordinator/judge.hpp"

#include <chrono>
#include <utility>

#include "common/http/client.hpp"
#include "daemon/subscription/fetch.hpp"

namespace imageswarm::coordinator {
namespace {

/// No host has accepted such a document, by whatever anchors, signers, serials and times.
bool is_wrong_anywhere(Fault fault) {
  return fault == Fault::doc_signature_block || fault == Fault::sig_missing || fault == Fault::sig_invalid;
}

}  // namespace

Result<Document> Judge::verify(std::string_view bytes) const {
  auto const as_document = [](auto verified) { return Document{std::move(verified)}; };
  switch (expected.kind) {
    case document::Kind::catalogue:
      return trust::verify_catalogue(bytes, anchors, expected, floors, time).map(as_document);
    case document::Kind::approval_list:
      return trust::verify_approval_list(bytes, anchors, expected, floors, time).map(as_document);
    case document::Kind::endorser_list:
      return trust::verify_endorser_list(bytes, anchors, expected, floors, time).map(as_document);
  }
  return fail(Fault::internal, "a document of no kind");
}

Outcome Judge::look(std::string const& url, std::string const& etag, std::string const* old,
                    std::stop_token const& stop) const {
  Outcome outcome;
  if (auto fetched = subscription::fetch_document(url, old ? etag : "", stop); !fetched) {
    outcome.unreachable = std::move(fetched.error());
  } else {
    outcome.etag = std::move(fetched->etag);
    if (!fetched->not_modified && (!old || fetched->bytes != *old)) {
      outcome.bytes = std::move(fetched->bytes);
      outcome.offer = verify(outcome.bytes);
    }
  }
  bool const replaced = outcome.offer && outcome.offer->has_value();
  if (old && !replaced) outcome.old = verify(*old);
  if (!replaced) outcome.neighbours_offer = look_around(url, stop);
  return outcome;
}

/// Whoever claims most is asked first: when that turns out to be worth nothing, somebody else may have told the truth.
std::optional<NeighboursOffer> Judge::look_around(std::string const& url, std::stop_token const& stop) const {
  static constexpr int most = 4;
  static constexpr std::chrono::seconds patience{30};  // so that those who waste it put off little
  if (subscription::is_local(url)) return {};
  auto const topic = topic_of(expected.kind, url);
  auto const until = std::chrono::steady_clock::now() + patience;
  std::optional<NeighboursOffer> offer;
  for (int i = 0; i < most && std::chrono::steady_clock::now() < until; ++i) {
    auto copy = neighbours.newer_copy(topic, stop);
    if (!copy) continue;
    auto verdict = verify(copy->bytes);
    offer = NeighboursOffer{std::move(*copy), std::move(verdict)};
    if (offer->verdict) break;
    auto const fault = offer->verdict.error().fault;
    is_wrong_anywhere(fault) ? neighbours.refuse(offer->copy.digest) : neighbours.pass_over(topic, offer->copy.digest);
    if (fault == Fault::equivocation) break;
  }
  return offer;
}

exchange::Topic topic_of(document::Kind kind, std::string_view url) {
  return exchange::topic_of(kind, http::without_user(url));
}

}  // namespace imageswarm::coordinator
