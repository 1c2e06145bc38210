#include "daemon/coordinator/derive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "common/trust/endorsers.hpp"

namespace imageswarm::coordinator {
namespace {

using document::EndorserList;
using document::Kind;
using flow::SubscriptionSettings;

/// What two subscriptions of the same source agree on.
using Key = std::tuple<Kind, std::string, std::string, std::string, std::uint64_t>;

Key key_of(SubscriptionSettings const& settings) {
  auto const& signer = settings.signers.front();
  auto const name = trust::Signer{signer.subject, signer.issuer.value_or(trust::DistinguishedName{}), {}}.text();
  return {settings.kind, settings.url, settings.document.value_or(""), name, settings.epoch};
}

/// Nothing for names that cannot be read, which a verified list does not have.
std::optional<SubscriptionSettings> pinned(Kind kind, std::string url, std::string document, std::string_view subject,
                                           std::string_view issuer, std::uint64_t epoch, std::chrono::seconds refresh) {
  auto signer = trust::pattern_of(subject, issuer);
  if (!signer) return std::nullopt;
  return SubscriptionSettings{std::move(url), kind, {std::move(*signer)}, std::move(document), epoch, refresh};
}

std::optional<SubscriptionSettings> settings_of(trust::ListId const& id, std::chrono::seconds refresh) {
  return pinned(Kind::endorser_list, id.url, id.document, id.subject, id.issuer, 1, refresh);
}

std::optional<SubscriptionSettings> settings_of(document::Endorsement const& endorser, std::chrono::seconds refresh) {
  return pinned(Kind::catalogue, endorser.catalogue, endorser.document, endorser.subject, endorser.issuer,
                endorser.epoch, refresh);
}

class NamedSources {
public:
  NamedSources(std::vector<SubscriptionSettings> const& configured,
               std::vector<std::shared_ptr<Subscription>> const& present) {
    for (auto const& settings : configured) configured_.emplace(settings.kind, settings.url);
    for (auto const& source : present) {
      if (source->settings.kind == Kind::endorser_list) lists_.emplace(key_of(source->settings), source);
    }
  }

  void follow(std::shared_ptr<Subscription> const& root) {
    auto const list = root->document.as<EndorserList>();
    if (!list) return;
    auto const accepted = trust::accepted_by(list->content(), root->settings.url, [this](trust::ListId const& id) {
      auto const source = at_hand(id);
      return source ? source->document.as<EndorserList>().get() : nullptr;
    });
    auto const refresh = root->settings.refresh;
    for (auto const& id : accepted.lists) want(settings_of(id, refresh), {{root}});
    for (auto const& [endorser, ways] : accepted.endorsers) {
      std::vector<ListPath> paths;
      for (auto const& way : ways) paths.push_back(path_of(root, way));
      want(settings_of(endorser, refresh), std::move(paths));
    }
    for (auto const& line : accepted.left_out) leave_out(title_of(*root) + " includes " + line);
  }

  Derivation result() && { return std::move(result_); }

private:
  std::shared_ptr<Subscription> at_hand(trust::ListId const& id) const {
    auto const settings = settings_of(id, {});
    auto const found = settings ? lists_.find(key_of(*settings)) : lists_.end();
    return found == lists_.end() ? nullptr : found->second;
  }

  ListPath path_of(std::shared_ptr<Subscription> const& root, trust::Way const& way) const {
    ListPath path{root};
    for (auto const& id : way) path.push_back(at_hand(id));
    return path;
  }

  void want(std::optional<SubscriptionSettings> settings, std::vector<ListPath> paths) {
    if (!settings || configured_.contains({settings->kind, settings->url})) return;
    auto const [known, is_new] = index_.emplace(key_of(*settings), result_.subscriptions.size());
    if (!is_new) {
      auto& all = result_.subscriptions[known->second].paths;
      all.insert(all.end(), paths.begin(), paths.end());
    } else if (result_.subscriptions.size() < max_derived) {
      result_.subscriptions.push_back({std::move(*settings), std::move(paths)});
    } else {
      index_.erase(known);
      result_.complete = false;
      leave_out(fmt::format("endorser lists name more than {} catalogues and lists", max_derived));
    }
  }

  void leave_out(std::string line) {
    if (std::ranges::find(result_.left_out, line) == result_.left_out.end()) result_.left_out.push_back(line);
  }

  std::set<std::pair<Kind, std::string>> configured_;
  std::map<Key, std::shared_ptr<Subscription>> lists_;
  std::map<Key, std::size_t> index_;
  Derivation result_;
};

}  // namespace

Derivation derive(std::vector<SubscriptionSettings> const& configured,
                  std::vector<std::shared_ptr<Subscription>> const& present) {
  NamedSources named{configured, present};
  for (auto const& source : present) {
    bool const is_root = source->settings.kind == Kind::endorser_list &&
                         std::ranges::find(configured, source->settings) != configured.end();
    if (is_root) named.follow(source);
  }
  return std::move(named).result();
}

}  // namespace imageswarm::coordinator
