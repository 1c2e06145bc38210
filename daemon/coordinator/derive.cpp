#include "daemon/coordinator/derive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <compare>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "common/trust/endorsers.hpp"

namespace imageswarm::coordinator {
namespace {

using document::EndorserList;
using document::Kind;
using flow::SubscriptionSettings;

/// What two subscriptions of the same source agree on. Verified lists have their names as DistinguishedName writes
/// them.
struct Key {
  Kind kind;
  std::string url, document, subject, issuer;
  std::uint64_t epoch;
  auto operator<=>(Key const&) const = default;
};

Key key_of(SubscriptionSettings const& settings) {
  auto const& signer = settings.signers.front();
  return {settings.kind,
          settings.url,
          settings.document.value_or(""),
          signer.subject.text(),
          signer.issuer ? signer.issuer->text() : "",
          settings.epoch};
}

Key key_of(trust::ListId const& id) {
  return {Kind::endorser_list, id.url, id.document, id.subject, id.issuer, 1};
}

Key key_of(document::Endorsement const& endorser) {
  return {Kind::catalogue, endorser.catalogue, endorser.document, endorser.subject, endorser.issuer, endorser.epoch};
}

using Ways = std::vector<std::shared_ptr<trust::Way const>>;

/// Something that is to be followed at the word of a configured list.
struct Named {
  Key key;
  std::shared_ptr<Subscription> root;
  Ways ways;
};

class NamedSources {
public:
  NamedSources(std::vector<SubscriptionSettings> const& configured,
               std::vector<std::shared_ptr<Subscription>> const& present) {
    for (auto const& settings : configured) configured_.emplace(settings.kind, settings.url);
    for (auto const& source : present) {
      if (source->settings.kind == Kind::endorser_list) lists_.emplace(key_of(source->settings), source);
    }
  }

  void look_at(std::shared_ptr<Subscription> const& root) {
    auto const list = root->document.as<EndorserList>();
    if (!list) return;
    auto const accepted = trust::accepted_by(list->content(), root->settings.url, [this](trust::ListId const& id) {
      auto const source = at_hand(id);
      return source ? source->document.as<EndorserList>().get() : nullptr;
    });
    Branches branches;
    for (auto const& way : accepted.lists) {
      auto const named = std::make_shared<Named const>(key_of(way->back()), root, Ways{std::make_shared<trust::Way>()});
      way->size() == 1 ? direct_.push_back(named) : branches[way->front()].push_back(named);
    }
    for (auto const& [endorser, ways] : accepted.endorsers) {
      auto const named = std::make_shared<Named const>(key_of(endorser), root, ways);
      if (ways.front()->empty()) {
        direct_.push_back(named);
        continue;
      }
      // Each of those who vouch for somebody gives him or her a turn: nobody's word is worth less for another's.
      std::set<trust::ListId> inclusions;
      for (auto const& way : ways) inclusions.insert(way->front());
      for (auto const& inclusion : inclusions) branches[inclusion].push_back(named);
    }
    for (auto& [inclusion, branch] : branches) branches_.push_back(std::move(branch));
    for (auto const& line : accepted.left_out) leave_out(title_of(*root) + " includes " + line);
    result_.complete = result_.complete && accepted.complete;
  }

  Derivation result() && {
    for (auto const& named : direct_) want(*named);
    bool more = true;
    for (std::size_t turn = 0; std::exchange(more, false); ++turn) {
      for (auto const& branch : branches_) {
        if (turn >= branch.size()) continue;
        want(*branch[turn]);
        more = true;
      }
    }
    return std::move(result_);
  }

private:
  /// What comes by each inclusion of a configured list, the outermost first.
  using Branch = std::vector<std::shared_ptr<Named const>>;
  using Branches = std::map<trust::ListId, Branch>;

  std::shared_ptr<Subscription> at_hand(trust::ListId const& id) const {
    auto const found = lists_.find(key_of(id));
    return found == lists_.end() ? nullptr : found->second;
  }

  std::vector<ListPath> paths_of(Named const& named) const {
    std::vector<ListPath> paths;
    for (auto const& way : named.ways) {
      auto& path = paths.emplace_back(ListPath{named.root});
      for (auto const& id : *way) path.push_back(at_hand(id));
    }
    return paths;
  }

  void want(Named const& named) {
    if (configured_.contains({named.key.kind, named.key.url})) return;
    auto const known = index_.find(named.key);
    if (known == index_.end()) return add(named);
    auto& paths = result_.subscriptions[known->second].paths;
    for (auto& path : paths_of(named)) {
      if (std::ranges::find(paths, path) == paths.end()) paths.push_back(std::move(path));
    }
  }

  void add(Named const& named) {
    if (result_.subscriptions.size() == max_derived) {
      result_.complete = false;
      return leave_out(fmt::format("endorser lists name more than {} catalogues and lists", max_derived));
    }
    auto const& key = named.key;
    auto signer = trust::pattern_of(key.subject, key.issuer);
    if (!signer) return;  // a verified list has no names that cannot be read
    index_.emplace(key, result_.subscriptions.size());
    result_.subscriptions.push_back(
        {{key.url, key.kind, {std::move(*signer)}, key.document, key.epoch, named.root->settings.refresh},
         paths_of(named)});
  }

  void leave_out(std::string line) {
    if (std::ranges::find(result_.left_out, line) == result_.left_out.end()) result_.left_out.push_back(line);
  }

  std::set<std::pair<Kind, std::string>> configured_;
  std::map<Key, std::shared_ptr<Subscription>> lists_;
  Branch direct_;
  std::vector<Branch> branches_;
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
    if (is_root) named.look_at(source);
  }
  return std::move(named).result();
}

}  // namespace imageswarm::coordinator
