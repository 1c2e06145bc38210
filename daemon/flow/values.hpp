#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/digest.hpp"
#include "common/base/units.hpp"
#include "common/document/model.hpp"
#include "common/trust/identity.hpp"

namespace imageswarm::flow {

/// Who stands behind an image: the signed documents that led to it.
struct Provenance {
  std::string catalogue;      ///< name of the document
  std::string catalogue_url;  ///< where it came from
  std::uint64_t serial = 0;
  Sha256 catalogue_digest;
  std::string endorser;  ///< trust::Signer::text()
  std::string approval;  ///< the rule that approved it, or "policy all"
};

/// One question that selection asked about an image, and its answer.
struct Reason {
  std::string question;  ///< "cluster", "approve rule 2 of site-approvals"
  std::string answer;    ///< "lxcloud is one of lxcloud, testcloud"
  bool yes = false;
};

/// An image that shall be on this host; selection makes it, the other stages carry it out.
struct Want {
  document::Image image;
  Provenance provenance;
  trust::Signer endorser;
  std::string torrent_url;  ///< absolute
  std::vector<std::string> trackers;
  std::vector<std::string> web_seeds;
  /// The image that it was made of on this host; `image` then describes what was made, in a family of its own that is
  /// called by this ID, and comes from no torrent.
  std::optional<Uuid> derived_from = {};
  /// Under which the image is known in the Glance of this site, once a sink has found out; empty until then. Not kept.
  std::string glance_id = {};
};

/// A sink's record that an image is in it, with what was compared.
struct Receipt {
  Uuid image_id;
  std::string sink;       ///< name of the sink
  std::string sink_type;  ///< "glance", "directory"
  std::string reference;  ///< Glance ID or path
  Sha256 content_sha256;  ///< of what is in the sink; compared
  Sha512 content_sha512;
  ByteCount size;
  std::string compared;  ///< with what was signed: "content-sha256 content-sha512", "os-hash-sha512"
  Provenance provenance;
  TimePoint at;
  bool uploaded_here = false;  ///< this host moved the bytes; false = found there and compared
};

/// Why an image may not be used any more; what follows is in docs/operations.md, "What ends trust".
enum class Retirement { expired, withdrawn, not_approved, recalled, superseded };
std::string_view name_of(Retirement why);
std::optional<Retirement> retirement_of(std::string_view name);

/// What became of an image that a sink took out of use.
enum class Effect {
  absent,       ///< it was not there
  removed,      ///< it is gone
  hidden,       ///< not offered any more; whoever has its ID may still use it
  deactivated,  ///< not handed out any more
  in_use,       ///< it stays as long as somebody uses it: try again later
};
std::string_view name_of(Effect effect);
std::optional<Effect> effect_of(std::string_view name);

/// A sink's answer to that.
struct Retired {
  Effect effect = Effect::absent;
  std::string reference;  ///< Glance ID or path; empty if it was not there
  std::string used_by;    ///< who uses it, as far as that can be seen, for people; always with `in_use`
};

}  // namespace imageswarm::flow
