#include <rapidcheck.h>
#include <rapidcheck/catch.h>

#include <span>

#include "common/trust/acceptance.hpp"
#include "common/trust/envelope.hpp"

namespace imageswarm::trust {
namespace {

/// Often near one another, sometimes at the ends of the range.
std::uint64_t any_serial() {
  return *rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(1, 8),
                         rc::gen::inRange<std::uint64_t>(max_serial_jump - 3, max_serial_jump + 9),
                         rc::gen::inRange<std::uint64_t>(document::max_serial - 3, document::max_serial + 1));
}

Floor any_document() {
  auto const content = *rc::gen::element<std::string>("a", "b");
  return {*rc::gen::inRange<std::uint64_t>(1, 4), any_serial(), digest_of<Sha256>(content)};
}

TEST_CASE("whatever is offered, a host never goes back") {
  rc::prop("epoch and serial grow together, one serial means one thing, and no step is too long", [] {
    auto accepted = any_document();
    for (int i = 0; i < 50; ++i) {
      auto const offered = any_document();
      if (!check_serial(offered, accepted)) continue;
      RC_ASSERT(std::pair(offered.epoch, offered.serial) >= std::pair(accepted.epoch, accepted.serial));
      if (offered.epoch == accepted.epoch) {
        RC_ASSERT(offered.serial - accepted.serial <= max_serial_jump);
        RC_ASSERT(offered.serial != accepted.serial || offered.digest == accepted.digest);
      }
      accepted = offered;
    }
  });
  rc::prop("what was accepted is accepted again", [] {
    auto const document = any_document();
    RC_ASSERT(check_serial(document, document).has_value());
  });
  rc::prop("a host that refuses can always be helped by the next serial or the next epoch", [] {
    auto const accepted = any_document();
    RC_ASSERT(check_serial({accepted.epoch, accepted.serial + 1, {}}, accepted).has_value());
    RC_ASSERT(check_serial({accepted.epoch + 1, 1, {}}, accepted).has_value());
  });
}

TEST_CASE("whatever is signed comes back as it was") {
  rc::prop("any lines and any signature", [] {
    auto const line = rc::gen::element<std::string>("a: b", "", " x509-signature: |", "x509-signature",
                                                    "# x509-signature:", "\xff", std::string(1, '\0'), "  AAEC");
    std::string body = "document: catalogue\n";
    for (auto const& each : *rc::gen::container<std::vector<std::string>>(line)) body += each + "\n";
    auto const signature = *rc::gen::nonEmpty<std::vector<std::uint8_t>>();
    auto const sealed = seal_envelope(body, std::as_bytes(std::span{signature}));
    RC_ASSERT(sealed.has_value());
    auto const opened = open_envelope(*sealed);
    RC_ASSERT(opened.has_value());
    RC_ASSERT(opened->body == body);
    RC_ASSERT(opened->signature == signature);
  });
}

}  // namespace
}  // namespace imageswarm::trust
