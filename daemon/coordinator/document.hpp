#pragma once

#include <memory>
#include <utility>
#include <variant>

#include "common/trust/verify.hpp"

namespace imageswarm::coordinator {

/// A verified document of any kind that can be followed, or none.
class Document {
public:
  Document() = default;
  template <class T>
  explicit Document(trust::Verified<T> verified)
      : held_{std::make_shared<trust::Verified<T> const>(std::move(verified))} {}

  explicit operator bool() const {
    return std::visit([](auto const& held) { return held != nullptr; }, held_);
  }
  /// The document if it is of this kind, or null.
  template <class T>
  std::shared_ptr<trust::Verified<T> const> as() const {
    auto const* held = std::get_if<std::shared_ptr<trust::Verified<T> const>>(&held_);
    return held ? *held : nullptr;
  }
  // Of a document that is there.
  Sha256 const& digest() const {  ///< of all its bytes
    return std::visit(
        [](auto const& held) -> auto const& { return held->origin().digest; }, held_);
  }
  document::Header const& header() const {
    return std::visit(
        [](auto const& held) -> auto const& { return held->content().header; }, held_);
  }
  trust::Floor floor() const {
    return std::visit([](auto const& held) { return held->floor(); }, held_);
  }
  trust::DocumentKey key() const {
    return std::visit([](auto const& held) { return held->key(); }, held_);
  }
  trust::Signer const& signer() const {
    return std::visit(
        [](auto const& held) -> auto const& { return held->origin().signer; }, held_);
  }

private:
  std::variant<std::shared_ptr<trust::VerifiedCatalogue const>, std::shared_ptr<trust::VerifiedApprovalList const>,
               std::shared_ptr<trust::VerifiedEndorserList const>>
      held_;
};

}  // namespace imageswarm::coordinator
