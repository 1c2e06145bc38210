#include "common/trust/endorsers.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "common/base/text.hpp"

namespace imageswarm::trust {
namespace {

using document::Endorsement;
using document::EndorserList;
using document::Inclusion;

using Person = std::pair<std::string, std::string>;              ///< subject, issuer
using Role = std::tuple<std::string, std::string, std::string>;  ///< document, subject, issuer

Role role_of(Endorsement const& endorser) {
  return {endorser.document, endorser.subject, endorser.issuer};
}

ListId id_of(Inclusion const& inclusion) {
  return {inclusion.list, inclusion.document, inclusion.subject, inclusion.issuer};
}

Result<> make_plain(std::string& name) {
  auto parsed = DistinguishedName::parse(name);
  if (!parsed) return fail(Fault::doc_field, "{}", parsed.error().what);
  name = parsed->text();
  return {};
}

Result<> make_plain(std::string& subject, std::string& issuer) {
  return make_plain(subject).and_then([&] { return make_plain(issuer); });
}

std::string person(std::string_view subject, std::string_view issuer) {
  return fmt::format("{} (issuer {})", printable(subject, 500), printable(issuer, 500));
}

std::string described(Endorsement const& endorser) {
  return fmt::format("{} for {}", person(endorser.subject, endorser.issuer), endorser.document);
}

std::string described(ListId const& id) {
  return fmt::format("the list {} ({}) by {}", id.document, id.url, person(id.subject, id.issuer));
}

std::string described(Inclusion const& inclusion) {
  return described(id_of(inclusion));
}

std::string where(Endorsement const& endorser) {
  return fmt::format("{}, epoch {}", endorser.catalogue, endorser.epoch);
}

std::string where(Inclusion const& inclusion) {
  std::vector<std::string> names;
  for (auto const& [subject, issuer] : inclusion.except) names.push_back(person(subject, issuer));
  return names.empty() ? "without exception" : "except " + join(names, ", ");
}

Result<EndorserList> with_plain_names(EndorserList list) {
  std::set<Role> roles;
  for (auto& endorser : list.endorsers) {
    auto const label = described(endorser);
    if (auto plain = make_plain(endorser.subject, endorser.issuer); !plain) {
      return fail(std::move(plain.error()).in(label));
    }
    if (!roles.insert(role_of(endorser)).second) return fail(Fault::doc_field, "{}: named twice", label);
  }
  std::set<std::string> urls;
  for (auto& inclusion : list.includes) {
    auto const label = described(inclusion);
    auto plain = make_plain(inclusion.subject, inclusion.issuer);
    for (auto& [subject, issuer] : inclusion.except) {
      if (plain) plain = make_plain(subject, issuer);
    }
    if (!plain) return fail(std::move(plain.error()).in(label));
    if (!urls.insert(inclusion.list).second) return fail(Fault::doc_field, "{}: included twice", label);
  }
  return list;
}

/// What one inclusion of the outermost list may still bring.
struct Share {
  std::size_t inclusions, endorsers;
};

/// One list on the way, and whom the inclusions before it keep out.
struct Step {
  EndorserList const& list;
  std::shared_ptr<Way const> way;
  std::set<Person> except;
  std::shared_ptr<Share> share;  ///< null: the outermost list, which may name whom it wants
};

class Walk {
public:
  Walk(std::string const& url, FindList const& find) : url_{url}, find_{find} {}

  Acceptance from(EndorserList const& list) && {
    for (open_.push_back({list, std::make_shared<Way>(), {}, nullptr}); !open_.empty(); open_.pop_front()) {
      auto const step = std::move(open_.front());
      for (auto const& endorser : step.list.endorsers) {
        if (!step.except.contains({endorser.subject, endorser.issuer})) accept(endorser, step);
      }
      for (auto const& inclusion : step.list.includes) follow(inclusion, step);
    }
    return std::move(result_);
  }

private:
  void accept(Endorsement const& endorser, Step const& step) {
    auto const [known, is_new] = index_.emplace(role_of(endorser), result_.endorsers.size());
    if (is_new) {
      if (step.share && step.share->endorsers == 0) {
        index_.erase(known);
        return stop_at_limit(step.way->front(), fmt::format("more than {} endorsers by way of it", max_accepted));
      }
      if (step.share) --step.share->endorsers;
      result_.endorsers.push_back({endorser, {}});
    }
    auto& accepted = result_.endorsers[known->second];
    bool const same = accepted.endorser.catalogue == endorser.catalogue && accepted.endorser.epoch == endorser.epoch;
    if (same) accepted.ways.push_back(step.way);
  }

  void follow(Inclusion const& inclusion, Step const& step) {
    auto const id = id_of(inclusion);
    bool const circle = id.url == url_ || std::ranges::find(*step.way, id.url, &ListId::url) != step.way->end();
    if (circle) return leave_out(id, "it includes itself");
    auto const share = step.share ? step.share : new_share(step.list);
    if (step.way->size() == max_inclusion_depth) {
      return stop_at_limit(id, fmt::format("more than {} lists deep", max_inclusion_depth));
    }
    if (share->inclusions == 0) {
      return stop_at_limit(id, fmt::format("beyond its share of {} included lists", max_inclusions));
    }
    --share->inclusions;
    auto longer = *step.way;
    longer.push_back(id);
    auto const way = std::make_shared<Way const>(std::move(longer));
    if (lists_.insert(id).second) result_.lists.push_back(way);
    auto const* const found = find_(id);
    if (!found) return;
    Step next{found->content(), way, step.except, share};
    for (auto const& [subject, issuer] : inclusion.except) next.except.emplace(subject, issuer);
    open_.push_back(std::move(next));
  }

  static std::shared_ptr<Share> new_share(EndorserList const& outermost) {
    return std::make_shared<Share>(max_inclusions / outermost.includes.size(), max_accepted);
  }

  void stop_at_limit(ListId const& id, std::string_view why) {
    result_.complete = false;
    leave_out(id, why);
  }

  void leave_out(ListId const& id, std::string_view why) {
    auto line = fmt::format("{}: {}", described(id), why);
    if (said_.insert(line).second) result_.left_out.push_back(std::move(line));
  }

  std::string const& url_;
  FindList const& find_;
  std::deque<Step> open_;
  std::map<Role, std::size_t> index_;
  std::set<ListId> lists_;
  std::set<std::string> said_;
  Acceptance result_;
};

/// The lines for one kind of entry; `key_of` says which entry of the other version is the same.
template <class T, class KeyOf>
void compare(std::vector<T> const& before, std::vector<T> const& after, KeyOf const& key_of,
             std::vector<std::string>& lines) {
  std::map<decltype(key_of(before.front())), T const*> old;
  for (auto const& each : before) old.emplace(key_of(each), &each);
  for (auto const& each : after) {
    auto const known = old.find(key_of(each));
    if (known == old.end()) {
      lines.push_back(fmt::format("added {} ({})", described(each), where(each)));
      continue;
    }
    auto const then = where(*known->second), now = where(each);
    if (then != now) lines.push_back(fmt::format("changed {}: {}; was {}", described(each), now, then));
    old.erase(known);
  }
  for (auto const& [key, each] : old) lines.push_back(fmt::format("removed {} ({})", described(*each), where(*each)));
}

}  // namespace

Result<EndorserList> parse_plain_list(std::string_view body) {
  return document::parse_endorser_list(body).and_then(with_plain_names);
}

Result<SignerPattern> pattern_of(std::string_view subject, std::string_view issuer) {
  auto subject_name = DistinguishedName::parse(subject);
  if (!subject_name) return fail(std::move(subject_name.error()));
  auto issuer_name = DistinguishedName::parse(issuer);
  if (!issuer_name) return fail(std::move(issuer_name.error()));
  return SignerPattern{std::move(*subject_name), std::move(*issuer_name)};
}

std::string describe(Endorsement const& endorser) {
  return fmt::format("{} ({})", described(endorser), where(endorser));
}

Acceptance accepted_by(EndorserList const& list, std::string const& url, FindList const& find) {
  return Walk{url, find}.from(list);
}

std::vector<std::string> differences(EndorserList const& before, EndorserList const& after) {
  std::vector<std::string> lines;
  compare(before.endorsers, after.endorsers, role_of, lines);
  compare(before.includes, after.includes, id_of, lines);
  return lines;
}

}  // namespace imageswarm::trust
