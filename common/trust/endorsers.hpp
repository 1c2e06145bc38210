#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/document/model.hpp"
#include "common/trust/verify.hpp"

namespace imageswarm::trust {

/// Most included lists between a list and one that it reaches through them.
inline constexpr std::size_t max_inclusion_depth = 4;
/// Most inclusions that are followed from one list, by whatever way: included lists are outsiders' words. Each of its
/// own inclusions has an equal share of them, so that none takes room from another.
inline constexpr std::size_t max_inclusions = 64;
/// Most endorsers that are accepted by way of one inclusion of the outermost list, beside those known already.
inline constexpr std::size_t max_accepted = 1000;

/// As document::parse_endorser_list, and with all names as RFC 2253 writes them, so that equal names are equal texts:
/// such a list is "plain" below. Faults: as there; doc-field also for a name that cannot be read, and for the same
/// endorser of one catalogue, or the same included list, twice.
[[nodiscard]] Result<document::EndorserList> parse_plain_list(std::string_view body);

/// Who is named there as a signer. Fault: config-value.
[[nodiscard]] Result<SignerPattern> pattern_of(std::string_view subject, std::string_view issuer);

/// One included list: what is found at a URL under this name, by this signer.
struct ListId {
  std::string url, document, subject, issuer;
  auto operator<=>(ListId const&) const = default;
};

/// The included lists that lead to something, from the outermost; none: the list itself names it.
using Way = std::vector<ListId>;

/// Somebody whom a list accepts in the end.
struct AcceptedEndorser {
  document::Endorsement endorser;
  std::vector<std::shared_ptr<Way const>> ways;  ///< all that name him or her for the same catalogue, URL and epoch
};

/// What an endorser list comes to with the lists that it includes.
struct Acceptance {
  std::vector<AcceptedEndorser> endorsers;
  /// The first way to each included list, which is its last; also to those that are not at hand.
  std::vector<std::shared_ptr<Way const>> lists;
  std::vector<std::string> left_out;  ///< inclusions that are not followed, or not to their end, and why
  bool complete = true;               ///< false: a limit left somebody out, not only a circle
};

/// An included list that has been verified and is kept until the end of the walk; null while there is none.
using FindList = std::function<VerifiedEndorserList const*(ListId const&)>;

/// Follows the inclusions of `list`, which is plain and found at `url` (for circles; may be empty).
///
/// A list's exceptions hold for all that comes through that inclusion. Where two lists name the same person for the
/// same catalogue differently, the outer one counts, and of two equally far ones the first.
Acceptance accepted_by(document::EndorserList const& list, std::string const& url, FindList const& find);

/// One line for people: "CN=Ada,O=Example (issuer CN=CA) for lxcloud (https://…, epoch 1)".
std::string describe(document::Endorsement const& endorser);

/// What a newer version of a plain list changes, a line for people each: "added CN=Ada …".
std::vector<std::string> differences(document::EndorserList const& before, document::EndorserList const& after);

}  // namespace imageswarm::trust
