#pragma once

#include "daemon/flow/values.hpp"
#include "tests/support/sample_image.hpp"

namespace imageswarm::test {

/// The sample image as a host wants it.
inline flow::Want sample_want() {
  trust::Signer endorser;
  endorser.subject = *trust::DistinguishedName::parse("CN=Ada \\, Endorser,O=Example");
  endorser.issuer = *trust::DistinguishedName::parse("CN=Example CA,O=Example");
  endorser.certificate_expires = *parse_time("2027-01-01T00:00:00Z");
  flow::Want want;
  want.image = sample_image();
  want.provenance = {
      "lxcloud",   "https://images.example.org/catalogue.yaml", 42, digest_of<Sha256>("catalogue"), endorser.text(),
      "policy all"};
  want.endorser = endorser;
  want.torrent_url = "https://images.example.org/" + want.image.torrent.download_url;
  want.trackers = {"http://tracker.example.org:6969/announce"};
  want.web_seeds = {"https://images.example.org/images/", "https://mirror.example.org/"};
  return want;
}

}  // namespace imageswarm::test
