#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "common/document/model.hpp"
#include "common/trust/verify.hpp"
#include "tests/attacks/der.hpp"
#include "tests/support/forgery.hpp"
#include "tests/support/test_ca.hpp"

namespace imageswarm::attacks {

inline test::TestCa const& ca() {
  return test::TestCa::instance();
}

/// A good catalogue of two images: "example", serial 42, issued an hour ago, good for a day.
document::Catalogue sample_catalogue();
document::ApprovalList sample_approval_list();
document::EndorserList sample_endorser_list();

trust::SignerPattern pattern(std::string_view subject, std::string_view issuer = "");

/// What a host demands of the catalogue: its name, epoch 1, signed by Ada or Bob.
trust::Expectation subscription(document::Kind kind = document::Kind::catalogue);

/// Signed as an honest endorser does.
std::string signed_by(std::string const& name, std::string_view body);
template <class Document>
std::string signed_by(std::string const& name, Document const& content) {
  return signed_by(name, std::string_view{document::write(content)});
}
/// Signed by somebody who has a key and bad manners.
std::string forged(std::string_view body, test::Forgery const& forgery);
/// The body with this signature, whatever it is.
std::string sealed(std::string_view body, std::string_view der);

/// What a fresh host says to these bytes.
std::string offer(std::string_view bytes, trust::Expectation const& expected = subscription(),
                  trust::AnchorPolicy const& anchors = ca().anchors(), TimePoint now = ca().now());
/// The same for bytes of any kind, by the kind that is expected.
std::string offer_any(std::string_view bytes, trust::Expectation const& expected);

/// `text` with the one `from` in it replaced; throws if there is none or are several.
std::string replaced(std::string text, std::string_view from, std::string_view to);

}  // namespace imageswarm::attacks
