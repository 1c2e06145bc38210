#include "daemon/coordinator/judge.hpp"

#include <utility>

#include "daemon/subscription/fetch.hpp"

namespace imageswarm::coordinator {

Result<Document> Judge::verify(std::string_view bytes) const {
  if (expected.kind == document::Kind::catalogue) {
    return trust::verify_catalogue(bytes, anchors, expected, floors, time).map([](auto&& verified) {
      return Document{std::make_shared<trust::VerifiedCatalogue const>(std::move(verified)), nullptr};
    });
  }
  return trust::verify_approval_list(bytes, anchors, expected, floors, time).map([](auto&& verified) {
    return Document{nullptr, std::make_shared<trust::VerifiedApprovalList const>(std::move(verified))};
  });
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
  if (old && !replaced) {
    if (auto still = verify(*old); !still) outcome.old_fault = std::move(still.error());
  }
  return outcome;
}

}  // namespace imageswarm::coordinator
