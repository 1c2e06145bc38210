#include "daemon/coordinator/ledger.hpp"

#include <algorithm>

namespace imageswarm::coordinator {
namespace {

auto is_of(Uuid const& image_id, std::string_view sink) {
  return
      [&image_id, sink](flow::Receipt const& receipt) { return receipt.image_id == image_id && receipt.sink == sink; };
}

}  // namespace

Result<> Ledger::load() {
  auto held = state_.held();
  if (!held) return fail(std::move(held.error()));
  auto receipts = state_.receipts();
  if (!receipts) return fail(std::move(receipts.error()));
  for (auto& image : *held) held_.emplace(image.want.image.image_id, std::move(image));
  receipts_ = std::move(*receipts);
  return {};
}

state::HeldImage const* Ledger::held(Uuid const& image_id) const {
  auto const at = held_.find(image_id);
  return at == held_.end() ? nullptr : &at->second;
}

Result<> Ledger::hold(state::HeldImage image) {
  if (auto done = state_.hold(image); !done) return done;
  auto const id = image.want.image.image_id;
  held_.insert_or_assign(id, std::move(image));
  return {};
}

Result<> Ledger::release(Uuid const& image_id) {
  if (auto done = state_.release(image_id); !done) return done;
  held_.erase(image_id);
  return {};
}

std::optional<flow::Receipt> Ledger::receipt(Uuid const& image_id, std::string_view sink) const {
  auto const at = std::ranges::find_if(receipts_, is_of(image_id, sink));
  return at == receipts_.end() ? std::nullopt : std::optional{*at};
}

Result<> Ledger::record(flow::Receipt receipt) {
  if (auto done = state_.record(receipt); !done) return done;
  std::erase_if(receipts_, is_of(receipt.image_id, receipt.sink));
  receipts_.push_back(std::move(receipt));
  return {};
}

Result<> Ledger::forget(Uuid const& image_id, std::string_view sink) {
  if (auto done = state_.forget_receipt(image_id, sink); !done) return done;
  std::erase_if(receipts_, is_of(image_id, sink));
  return {};
}

}  // namespace imageswarm::coordinator
