#include "tests/attacks/host.hpp"

#include <chrono>
#include <stdexcept>

#include "common/trust/envelope.hpp"
#include "tests/attacks/attack.hpp"
#include "tests/support/sample_image.hpp"

namespace imageswarm::attacks {
namespace {

using namespace std::chrono_literals;

document::Header header_of(document::Kind kind) {
  document::Header header;
  header.kind = kind;
  header.name = "example";
  header.serial = 42;
  header.issued = ca().now() - 1h;
  header.expires = ca().now() + 24h;
  return header;
}

}  // namespace

document::Catalogue sample_catalogue() {
  document::Catalogue catalogue;
  catalogue.header = header_of(document::Kind::catalogue);
  catalogue.endorser = {.name = "Bob", .subject = "CN=Bob Endorser,O=Example", .contact = "bob@example.org"};
  catalogue.trackers = {"https://tracker.example.org/announce"};
  catalogue.images = {test::sample_image(), test::sample_image("alma-9")};
  return catalogue;
}

document::ApprovalList sample_approval_list() {
  document::ApprovalList list;
  list.header = header_of(document::Kind::approval_list);
  list.approve.emplace_back().name = "debian-*";
  list.recall.emplace_back().name = "alma-*";
  list.recall.back().reason = "a hole";
  return list;
}

document::EndorserList sample_endorser_list() {
  document::EndorserList list;
  list.header = header_of(document::Kind::endorser_list);
  list.endorsers = {{.name = "Bob",
                     .subject = "CN=Bob Endorser,O=Example",
                     .issuer = "CN=Test Issuing CA,O=Imageswarm Test",
                     .contact = "bob@example.org",
                     .catalogue = "https://images.example.org/catalogue.yaml",
                     .document = "example"}};
  return list;
}

trust::SignerPattern pattern(std::string_view subject, std::string_view issuer) {
  trust::SignerPattern pattern{trust::DistinguishedName::parse(subject).value(), {}};
  if (!issuer.empty()) pattern.issuer = trust::DistinguishedName::parse(issuer).value();
  return pattern;
}

trust::Expectation subscription(document::Kind kind) {
  trust::Expectation expected;
  expected.kind = kind;
  expected.signers = {pattern("CN=Ada Endorser,O=Example"), pattern("/O=Example/CN=Bob Endorser")};
  expected.name = "example";
  expected.epoch = 1;
  return expected;
}

std::string signed_by(std::string const& name, std::string_view body) {
  return ca().signer(name).sign(body).value();
}

std::string forged(std::string_view body, test::Forgery const& forgery) {
  auto const der = test::make_cms(body, forgery);
  return sealed(body, {reinterpret_cast<char const*>(der.data()), der.size()});
}

std::string sealed(std::string_view body, std::string_view der) {
  return trust::seal_envelope(body, std::as_bytes(std::span{der})).value();
}

std::string offer(std::string_view bytes, trust::Expectation const& expected, trust::AnchorPolicy const& anchors,
                  TimePoint now) {
  return outcome_of(trust::verify_catalogue(bytes, anchors, expected, {}, {now, ca().now()}));
}

std::string offer_any(std::string_view bytes, trust::Expectation const& expected) {
  trust::Time const time{ca().now(), ca().now()};
  switch (expected.kind) {
    case document::Kind::catalogue:
      return outcome_of(trust::verify_catalogue(bytes, ca().anchors(), expected, {}, time));
    case document::Kind::approval_list:
      return outcome_of(trust::verify_approval_list(bytes, ca().anchors(), expected, {}, time));
    case document::Kind::endorser_list:
      return outcome_of(trust::verify_endorser_list(bytes, ca().anchors(), expected, {}, time));
  }
  throw std::logic_error{"no such kind"};
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  auto const at = text.find(from);
  if (at == text.npos || text.find(from, at + 1) != text.npos) {
    throw std::runtime_error{"not exactly one '" + std::string{from} + "'"};
  }
  return text.replace(at, from.size(), to);
}

}  // namespace imageswarm::attacks
