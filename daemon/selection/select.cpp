#include "daemon/selection/select.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "common/base/text.hpp"
#include "daemon/selection/rules.hpp"

namespace imageswarm::selection {
namespace {

/// An approval list with its rules compiled.
struct Approvals {
  std::string name;
  std::uint64_t serial = 0;
  Standing standing{};
  std::vector<CompiledRule> approve, recall;
};

std::vector<Approvals> compiled(std::vector<Source<document::ApprovalList>> const& sources) {
  std::vector<Approvals> lists;
  for (auto const& source : sources) {
    if (!source.document) continue;
    auto const& list = source.document->content();
    lists.push_back(
        {list.header.name, list.header.serial, source.standing, compile(list.approve), compile(list.recall)});
  }
  return lists;
}

/// One image under judgement: each question adds its reason, and the first "no" that settles the matter ends it.
class Judgement {
public:
  Judgement(Input const& input, std::vector<Approvals> const& approvals, std::vector<CompiledRule> const& choice)
      : input_{input}, approvals_{approvals}, choice_{choice} {
    for (auto const& held : input.held) held_.emplace(held.image.image_id, &held);
    for (auto const& departed : input.departed) departed_.emplace(departed.want.image.image_id, &departed);
  }

  Decision judge(flow::Want want, Standing standing) const {
    Decision decision;
    decision.want = std::move(want);
    decision.verdict = verdict(decision, standing);
    bool const selected = decision.verdict == Verdict::selected;
    decision.is_endorsed_now = selected && standing == Standing::trusted;
    decision.may_fetch = decision.is_endorsed_now && approval_is_current(decision);
    decision.may_seed = selected && standing != Standing::stopped && !approval_has_stopped();
    return decision;
  }

  /// For what its endorser has taken back, or vouches for no more.
  Decision withdrawn(flow::Want want, std::string reason) const {
    Decision decision;
    decision.want = std::move(want);
    decision.verdict = Verdict::withdrawn;
    if (auto const before = not_taken_back(decision, Standing::trusted)) {
      decision.verdict = *before;
    } else {
      ask(decision, "endorsed", false, std::move(reason));
    }
    return decision;
  }

private:
  Verdict verdict(Decision& decision, Standing standing) const {
    auto const& image = decision.want.image;
    if (recalled(decision)) return Verdict::recalled;
    if (auto const before = not_taken_back(decision, standing)) return *before;
    if (!ask(decision, "endorsed", standing != Standing::revoked,
             standing == Standing::revoked ? "endorser-withdrawn: the signer is revoked or no longer allowed"
                                           : "signed by " + decision.want.provenance.endorser)) {
      return Verdict::withdrawn;
    }
    if (image.expires && !ask(decision, "not expired", input_.now < *image.expires,
                              "the image expires " + format_time(*image.expires))) {
      return Verdict::expired;
    }
    if (!approved(decision)) return Verdict::not_approved;
    if (!for_this_host(decision)) return Verdict::not_selected;
    return Verdict::selected;
  }

  static bool ask(Decision& decision, std::string question, bool yes, std::string answer) {
    decision.reasons.push_back({std::move(question), std::move(answer), yes});
    return yes;
  }

  /// A recall holds however old the list is.
  bool recalled(Decision& decision) const {
    for (auto const& list : approvals_) {
      for (auto const& rule : list.recall) {
        if (!rule.matches(decision.want.image, decision.want.endorser)) continue;
        ask(decision, "not recalled", false,
            fmt::format("{} serial {} recalls {}: {}", list.name, list.serial, rule.rule().describe(),
                        printable(rule.rule().reason)));
        return true;
      }
    }
    return false;
  }

  /// A recall or withdrawal of earlier holds until those who could take it back are heard: its catalogue, of this
  /// standing, and every approval list.
  std::optional<Verdict> not_taken_back(Decision& decision, Standing standing) const {
    auto const before = departed_.find(decision.want.image.image_id);
    if (before == departed_.end() || (standing == Standing::trusted && !approval_list_not_current())) return {};
    auto const& departed = *before->second;
    bool const recalled = departed.why == flow::Retirement::recalled;
    if (!recalled && departed.why != flow::Retirement::withdrawn) return {};
    decision.want = departed.want;  // knows more than a catalogue's withdrawal
    ask(decision, recalled ? "not recalled" : "endorsed", false,
        departed.reason + "; whoever could take that back cannot be verified now");
    return recalled ? Verdict::recalled : Verdict::withdrawn;
  }

  bool approved(Decision& decision) const {
    if (input_.policy == flow::ApprovalPolicy::all) {
      decision.want.provenance.approval = "policy all";
      return ask(decision, "approved", true, "the site approves every endorsed image");
    }
    for (auto const& list : approvals_) {
      if (list.standing == Standing::revoked) continue;
      for (auto const& rule : list.approve) {
        if (!rule.matches(decision.want.image, decision.want.endorser)) continue;
        decision.want.provenance.approval = fmt::format("{}: {}", list.name, rule.rule().describe());
        return ask(decision, "approved", true, "by " + decision.want.provenance.approval);
      }
    }
    if (approved_before(decision)) return true;
    return ask(decision, "approved", false,
               approvals_.empty() ? "no approval list has been accepted yet" : "no rule of the approval lists matches");
  }

  /// A list that could not be verified since the start takes no approval back.
  bool approved_before(Decision& decision) const {
    bool const some_unknown = std::ranges::any_of(
        input_.approvals, [](auto const& source) { return !source.document && source.standing != Standing::revoked; });
    auto const before = held_.find(decision.want.image.image_id);
    if (!some_unknown || before == held_.end() || before->second->provenance.approval.empty()) return false;
    decision.want.provenance.approval = before->second->provenance.approval;
    return ask(decision, "approved", true,
               "earlier, by " + decision.want.provenance.approval + "; an approval list cannot be verified now");
  }

  bool approval_has_stopped() const {
    return std::ranges::any_of(input_.approvals,
                               [](auto const& source) { return source.standing == Standing::stopped; });
  }

  /// Something new needs every configured approval list: a missing or expired one might recall it.
  bool approval_is_current(Decision& decision) const {
    auto const* const missing = approval_list_not_current();
    return missing == nullptr ||
           ask(decision, "approval lists current", false,
               fmt::format("{} is not current: nothing new until it is", printable(missing->url)));
  }

  /// The first such list, or null.
  Source<document::ApprovalList> const* approval_list_not_current() const {
    auto const found = std::ranges::find_if(
        input_.approvals, [](auto const& source) { return !source.document || source.standing != Standing::trusted; });
    return found == input_.approvals.end() ? nullptr : &*found;
  }

  bool for_this_host(Decision& decision) const {
    auto const& image = decision.want.image;
    auto const& host = input_.host;
    auto const one_of = [&](char const* what, std::string const& ours, std::vector<std::string> const& listed,
                            auto const& fits) {
      if (listed.empty()) return true;
      bool const yes = std::ranges::any_of(listed, [&](auto const& entry) { return fits(entry, ours); });
      return ask(decision, what, yes,
                 fmt::format("this host's is '{}', the image is for {}", ours, join(listed, ", ")));
    };
    auto const same = [](std::string_view a, std::string_view b) { return a == b; };
    auto const needs = [&](char const* what, std::string const& ours, std::string const& wanted) {
      return wanted.empty() || one_of(what, ours, {wanted}, same);
    };
    return needs("architecture", host.architecture, image.architecture) &&
           needs("hypervisor", host.hypervisor, image.hypervisor) &&
           one_of("cluster", host.cluster, image.clusters, same) &&
           one_of("subcluster", host.subcluster, image.subclusters, same) &&
           one_of("host", host.name, image.hosts, matches_glob) && chosen(decision);
  }

  bool chosen(Decision& decision) const {
    if (choice_.empty()) return true;
    for (auto const& rule : choice_) {
      if (!rule.matches(decision.want.image, decision.want.endorser)) continue;
      return ask(decision, "select", true, "matches " + rule.rule().describe());
    }
    return ask(decision, "select", false, "no rule of this host's select matches");
  }

  Input const& input_;
  std::vector<Approvals> const& approvals_;
  std::vector<CompiledRule> const& choice_;
  std::map<Uuid, flow::Want const*> held_;
  std::map<Uuid, Departed const*> departed_;
};

flow::Want want_of(document::Image const& image, Source<document::Catalogue> const& source) {
  auto const& catalogue = source.document->content();
  auto const& origin = source.document->origin();
  return {.image = image,
          .provenance = {.catalogue = catalogue.header.name,
                         .catalogue_url = source.url,
                         .serial = catalogue.header.serial,
                         .catalogue_digest = origin.digest,
                         .endorser = origin.signer.text(),
                         .approval = {}},
          .endorser = origin.signer,
          .torrent_url = image.torrent.download_url,
          .trackers = catalogue.trackers,
          .web_seeds = catalogue.web_seeds};
}

/// The plan under way, with one decision for each image ID.
class Planner {
public:
  explicit Planner(Input const& input)
      : input_{input},
        approvals_{compiled(input.approvals)},
        choice_{compile(input.select)},
        judgement_{input, approvals_, choice_} {}

  Plan plan() {
    for (auto const& source : input_.catalogues) {
      if (source.document) add_catalogue(source);
    }
    for (auto const& held : input_.held) add_held(held);
    for (auto const& departed : input_.departed) {
      if (!departed.is_done) add_departed(departed.want);
    }
    supersede();
    return {std::move(decisions_)};
  }

private:
  void add_catalogue(Source<document::Catalogue> const& source) {
    for (auto const& image : source.document->content().images) {
      add(judgement_.judge(want_of(image, source), source.standing));
    }
    for (auto const& entry : source.document->content().withdrawn) {
      document::Image image;
      image.image_id = entry.image_id;
      image.uuid = entry.uuid;
      auto const want = want_of(image, source);
      add(judgement_.withdrawn(
          want, fmt::format("{} serial {} withdrew it on {}: {}", want.provenance.catalogue, want.provenance.serial,
                            format_time(entry.at), printable(entry.reason))));
    }
  }

  void add_held(flow::Want const& held) { add_known(held, judge_held(held)); }

  /// What is gone and in no catalogue comes back by no uncertainty: only what takes it further away counts.
  void add_departed(flow::Want const& departed) {
    auto decision = judge_held(departed);
    if (decision.verdict != Verdict::withdrawn && decision.verdict != Verdict::recalled) {
      decision.verdict = Verdict::not_selected;
      decision.may_fetch = decision.may_seed = false;
    }
    add_known(departed, std::move(decision));
  }

  /// `decision` is for an image that is, or was, here: it counts where no catalogue has the image. A catalogue's
  /// withdrawal counts only if it is of the endorser who vouched for it.
  void add_known(flow::Want const& want, Decision decision) {
    auto const known = index_.find(want.image.image_id);
    if (known == index_.end()) return add(std::move(decision));
    auto& listed = decisions_[known->second];
    if (listed.verdict != Verdict::withdrawn) return;
    if (listed.want.endorser.same_identity(want.endorser)) {
      listed.want = want;  // a withdrawal carries little of the entry; what was here knows the rest
    } else {
      listed = std::move(decision);
    }
  }

  /// What is held and in its catalogue no more counts as withdrawn.
  Decision judge_held(flow::Want const& held) const {
    std::optional<Standing> unknown;  // the best of those that may have given it
    bool revoked = false;
    for (auto const& source : input_.catalogues) {
      if (!source.document) {
        if (source.standing == Standing::revoked) {
          revoked = revoked || source.url == held.provenance.catalogue_url;
        } else if (may_give(source, held)) {
          unknown = std::min(unknown.value_or(source.standing), source.standing);
        }
        continue;
      }
      if (!is_from(*source.document, held)) continue;
      auto const& catalogue = source.document->content();
      auto const is_it = [&](auto const& entry) { return entry.image_id == held.image.image_id; };
      if (std::ranges::any_of(catalogue.images, is_it)) return judgement_.judge(held, source.standing);
      bool const unreadable = std::ranges::any_of(catalogue.refused, is_it);
      if (unreadable) return judgement_.judge(held, std::max(Standing::stale, source.standing));
      auto const& header = catalogue.header;
      return judgement_.withdrawn(
          held, fmt::format("no longer in its catalogue {} as of serial {}", header.name, header.serial));
    }
    // Its own catalogue may be among those that could not be verified since the start: then nothing is known.
    if (unknown) return judgement_.judge(held, std::max(Standing::stale, *unknown));
    if (revoked) return judgement_.judge(held, Standing::revoked);
    if (!input_.endorsers_known) return judgement_.judge(held, Standing::stale);
    return judgement_.withdrawn(held, fmt::format("endorser-withdrawn: {} is no longer named for the catalogue {}",
                                                  printable(held.provenance.endorser, 500), held.provenance.catalogue));
  }

  /// May that catalogue, which is not at hand, be the one that it came from?
  static bool may_give(Source<document::Catalogue> const& source, flow::Want const& held) {
    bool const by_signer = source.signers.empty() || std::ranges::any_of(source.signers, [&](auto const& signer) {
                             return signer.matches(held.endorser);
                           });
    return by_signer && (!source.name || *source.name == held.provenance.catalogue);
  }

  static bool is_from(trust::VerifiedCatalogue const& catalogue, flow::Want const& held) {
    return catalogue.content().header.name == held.provenance.catalogue &&
           catalogue.origin().signer.same_identity(held.endorser);
  }

  void add(Decision decision) {
    auto const [known, is_new] = index_.emplace(decision.want.image.image_id, decisions_.size());
    if (is_new) {
      decisions_.push_back(std::move(decision));
    } else if (stands_behind(decision, decisions_[known->second])) {
      decisions_[known->second] = std::move(decision);
    }
  }

  /// Of another endorser's entry for the very same content: nobody takes back what is not his or hers.
  static bool stands_behind(Decision const& entry, Decision const& first) {
    if (first.verdict == Verdict::withdrawn) return entry.verdict != Verdict::withdrawn;
    return first.verdict != Verdict::selected && entry.verdict == Verdict::selected;
  }

  /// A family: one endorser, one uuid.
  void supersede() {
    std::map<std::pair<std::string, Uuid>, std::vector<Decision*>> families;
    for (auto& decision : decisions_) {
      if (decision.verdict != Verdict::selected) continue;
      families[{decision.want.provenance.endorser, decision.want.image.uuid}].push_back(&decision);
    }
    for (auto& [family, members] : families) {
      std::ranges::stable_sort(
          members, [](auto const* a, auto const* b) { return a->want.image.version > b->want.image.version; });
      for (std::size_t rank = most_kept(); rank < members.size(); ++rank) members[rank]->may_fetch = false;
      for (auto const& keeper : input_.keepers) supersede_in(keeper, members);
      for (auto* member : members) {
        if (member->superseded_in.size() < input_.keepers.size()) continue;
        member->verdict = Verdict::superseded;
        member->may_fetch = member->may_seed = false;
      }
    }
  }

  unsigned most_kept() const { return std::ranges::max(input_.keepers, {}, &Keeper::keep).keep; }

  /// The newest `keep` versions are wanted in the sink; older ones stay in it too as long as they are needed to have
  /// `keep` that work there.
  static void supersede_in(Keeper const& keeper, std::vector<Decision*> const& newest_first) {
    std::size_t working = 0;
    for (std::size_t rank = 0; rank < newest_first.size(); ++rank) {
      auto& decision = *newest_first[rank];
      bool const works = keeper.present.contains(decision.want.image.image_id);
      bool const needed = works && working < keeper.keep;
      working += works ? 1 : 0;
      if (rank < keeper.keep || needed) continue;
      decision.superseded_in.insert(keeper.sink);
      auto const who = keeper.sink.empty() ? "this host" : keeper.sink;
      auto const& newest = newest_first.front()->want.image.version.text;
      decision.reasons.push_back(
          {"kept", fmt::format("{} keeps {} of its versions, the newest is {}", who, keeper.keep, newest), false});
    }
  }

  Input const& input_;
  std::vector<Approvals> approvals_;
  std::vector<CompiledRule> choice_;
  Judgement judgement_;
  std::vector<Decision> decisions_;
  std::map<Uuid, std::size_t> index_;
};

}  // namespace

Plan select(Input const& input) {
  return Planner{input}.plan();
}

}  // namespace imageswarm::selection
