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

std::string described(Inclusion const& inclusion) {
  return fmt::format("the list {} ({}) by {}", inclusion.document, inclusion.list,
                     person(inclusion.subject, inclusion.issuer));
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

/// One list on the way, and whom the inclusions before it keep out.
struct Step {
  EndorserList const& list;
  Way way;
  std::set<Person> except;
};

class Walk {
public:
  Walk(std::string const& url, FindList const& find) : url_{url}, find_{find} {}

  Acceptance from(EndorserList const& list) && {
    for (open_.push_back({list, {}, {}}); !open_.empty(); open_.pop_front()) {
      auto const step = std::move(open_.front());
      for (auto const& endorser : step.list.endorsers) {
        if (!step.except.contains({endorser.subject, endorser.issuer})) accept(endorser, step.way);
      }
      for (auto const& inclusion : step.list.includes) follow(inclusion, step);
    }
    return std::move(result_);
  }

private:
  void accept(Endorsement const& endorser, Way const& way) {
    auto const [known, is_new] = index_.emplace(role_of(endorser), result_.endorsers.size());
    if (is_new) result_.endorsers.push_back({endorser, {}});
    auto& accepted = result_.endorsers[known->second];
    bool const same = accepted.endorser.catalogue == endorser.catalogue && accepted.endorser.epoch == endorser.epoch;
    if (same) accepted.ways.push_back(way);
  }

  void follow(Inclusion const& inclusion, Step const& step) {
    if (auto const why = objection(inclusion, step.way); !why.empty()) {
      result_.left_out.push_back(fmt::format("{}: {}", described(inclusion), why));
      return;
    }
    ++followed_;
    auto const id = id_of(inclusion);
    if (std::ranges::find(result_.lists, id) == result_.lists.end()) result_.lists.push_back(id);
    auto const* const found = find_(id);
    if (!found) return;
    Step next{found->content(), step.way, step.except};
    next.way.push_back(id);
    for (auto const& [subject, issuer] : inclusion.except) next.except.emplace(subject, issuer);
    open_.push_back(std::move(next));
  }

  std::string objection(Inclusion const& inclusion, Way const& way) const {
    bool const circle = inclusion.list == url_ || std::ranges::find(way, inclusion.list, &ListId::url) != way.end();
    if (circle) return "it includes itself";
    if (way.size() == max_inclusion_depth) return fmt::format("more than {} lists deep", max_inclusion_depth);
    if (followed_ == max_inclusions) return fmt::format("more than {} included lists", max_inclusions);
    return "";
  }

  std::string const& url_;
  FindList const& find_;
  std::deque<Step> open_;
  std::size_t followed_ = 0;
  std::map<Role, std::size_t> index_;
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
