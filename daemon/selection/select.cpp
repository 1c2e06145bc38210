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
  Standing standing{};
  std::vector<CompiledRule> approve, recall;
};

std::vector<Approvals> compiled(std::vector<Source<document::ApprovalList>> const& sources) {
  std::vector<Approvals> lists;
  for (auto const& source : sources) {
    if (!source.document) continue;
    auto const& list = source.document->content();
    lists.push_back({list.header.name, source.standing, compile(list.approve), compile(list.recall)});
  }
  return lists;
}

/// One image under judgement: each question adds its reason, and the first "no" that settles the matter ends it.
class Judgement {
public:
  Judgement(Input const& input, std::vector<Approvals> const& approvals, std::vector<CompiledRule> const& choice)
      : input_{input}, approvals_{approvals}, choice_{choice} {}

  Decision judge(flow::Want want, Standing standing) const {
    Decision decision;
    decision.want = std::move(want);
    decision.verdict = verdict(decision, standing);
    bool const selected = decision.verdict == Verdict::selected;
    decision.may_fetch = selected && standing == Standing::trusted && approval_is_current(decision);
    decision.may_seed = selected && standing != Standing::stopped;
    return decision;
  }

private:
  Verdict verdict(Decision& decision, Standing standing) const {
    auto const& image = decision.want.image;
    if (recalled(decision)) return Verdict::recalled;
    if (!ask(decision, "endorsed", standing != Standing::revoked,
             standing == Standing::revoked ? "the signer is revoked or no longer allowed"
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
            fmt::format("{} recalls {}: {}", list.name, rule.rule().describe(), printable(rule.rule().reason)));
        return true;
      }
    }
    return false;
  }

  bool approved(Decision& decision) const {
    if (input_.policy == flow::ApprovalPolicy::all) {
      decision.want.provenance.approval = "policy all";
      return ask(decision, "approved", true, "the site approves every endorsed image");
    }
    for (auto const& list : approvals_) {
      for (auto const& rule : list.approve) {
        if (!rule.matches(decision.want.image, decision.want.endorser)) continue;
        decision.want.provenance.approval = fmt::format("{}: {}", list.name, rule.rule().describe());
        return ask(decision, "approved", true, "by " + decision.want.provenance.approval);
      }
    }
    return ask(decision, "approved", false,
               approvals_.empty() ? "no approval list has been accepted yet" : "no rule of the approval lists matches");
  }

  /// Something new needs every configured approval list: a missing or expired one might recall it.
  bool approval_is_current(Decision& decision) const {
    for (auto const& source : input_.approvals) {
      if (source.document && source.standing == Standing::trusted) continue;
      return ask(decision, "approval lists current", false,
                 fmt::format("{} is not current: nothing new until it is", printable(source.url)));
    }
    return true;
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

Decision withdrawn(flow::Want want, std::string reason) {
  Decision decision;
  decision.want = std::move(want);
  decision.verdict = Verdict::withdrawn;
  decision.reasons.push_back({"endorsed", std::move(reason), false});
  return decision;
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
      add(withdrawn(want_of(image, source), fmt::format("withdrawn by its endorser on {}: {}", format_time(entry.at),
                                                        printable(entry.reason))));
    }
  }

  /// What is held and in no catalogue any more counts as withdrawn; where its catalogue could not be verified since the
  /// start, nothing is known, and it stays as it is.
  void add_held(flow::Want const& held) {
    if (auto const known = index_.find(held.image.image_id); known != index_.end()) {
      // A withdrawal carries little of the entry; what is held knows the rest.
      auto& decision = decisions_[known->second];
      if (decision.verdict == Verdict::withdrawn) decision.want = held;
      return;
    }
    auto const source =
        std::ranges::find(input_.catalogues, held.provenance.catalogue_url, &Source<document::Catalogue>::url);
    if (source == input_.catalogues.end()) {
      add(withdrawn(held, "its catalogue is no longer subscribed to"));
    } else if (source->document) {
      add(withdrawn(held, "no longer in its catalogue"));
    } else {
      add(judgement_.judge(held, source->standing == Standing::trusted ? Standing::stale : source->standing));
    }
  }

  void add(Decision decision) {
    auto const [known, is_new] = index_.emplace(decision.want.image.image_id, decisions_.size());
    if (is_new) {
      decisions_.push_back(std::move(decision));
    } else if (auto& first = decisions_[known->second];
               first.verdict != Verdict::selected && decision.verdict == Verdict::selected) {
      first = std::move(decision);  // another endorser stands behind the very same content
    }
  }

  /// Of each family (endorser and uuid) only the newest `keep` versions stay selected.
  void supersede() {
    std::map<std::pair<std::string, Uuid>, std::vector<Decision*>> families;
    for (auto& decision : decisions_) {
      if (decision.verdict != Verdict::selected) continue;
      families[{decision.want.provenance.endorser, decision.want.image.uuid}].push_back(&decision);
    }
    for (auto& [family, members] : families) {
      std::ranges::stable_sort(
          members, [](auto const* a, auto const* b) { return a->want.image.version > b->want.image.version; });
      for (std::size_t i = input_.keep; i < members.size(); ++i) {
        members[i]->verdict = Verdict::superseded;
        members[i]->may_fetch = members[i]->may_seed = false;
        members[i]->reasons.push_back({"kept",
                                       fmt::format("this host keeps {} versions, the newest is {}", input_.keep,
                                                   members.front()->want.image.version.text),
                                       false});
      }
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
