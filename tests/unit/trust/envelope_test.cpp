#include "common/trust/envelope.hpp"

#include <catch2/catch.hpp>

namespace imageswarm::trust {
namespace {

std::string const body = "document: catalogue\nformat: 1\n";
std::string const line = "x509-signature: |\n";

Fault fault_of(std::string const& document) {
  auto const envelope = open_envelope(document);
  INFO(document.substr(0, 300));
  REQUIRE_FALSE(envelope);
  return envelope.error().fault;
}

TEST_CASE("the body is every byte before the signature line") {
  auto const document = body + line + "  AAEC\n";
  auto const envelope = open_envelope(document);
  REQUIRE(envelope);
  CHECK(envelope->body == body);
  CHECK(envelope->signature == std::vector<std::uint8_t>{0, 1, 2});
  CHECK(open_envelope(body + line + "  AA\n  EC\n\n  \n"));
}

TEST_CASE("what is sealed opens again") {
  std::string const der(500, 'x');
  auto const document = seal_envelope(body, std::as_bytes(std::span{der}));
  REQUIRE(document);
  auto const envelope = open_envelope(*document);
  REQUIRE(envelope);
  CHECK(envelope->body == body);
  CHECK(std::string(envelope->signature.begin(), envelope->signature.end()) == der);
}

TEST_CASE("a body that would not come back as it was is not sealed") {
  std::string const der = "x";
  CHECK_FALSE(seal_envelope("no line end", std::as_bytes(std::span{der})));
  CHECK_FALSE(seal_envelope(body + "x509-signature: none\n", std::as_bytes(std::span{der})));
}

TEST_CASE("a document without a signature line at column 0 is unsigned") {
  CHECK(fault_of("") == Fault::sig_missing);
  CHECK(fault_of(body) == Fault::sig_missing);
  CHECK(fault_of(body + "  " + line + "  AAEC\n") == Fault::sig_missing);
}

TEST_CASE("nothing can hide beside the body and its one signature block") {
  auto const document = GENERATE_COPY(
      as<std::string>{}, body + line + "  AAEC\n" + line + "  AAEC\n",
      body + "x509-signature: none\n" + line + "  AAEC\n", line + body + line + "  AAEC\n",
      body + line + "  AAEC\nname: other\n", body + line + "  AAEC\n\n  AAEC\n", body + line + "  AAEC\n# comment\n",
      body + line + "  AAEC\n...\n", body + line + "\n  AAEC\n", body + line + " AAEC\n", body + line + "   AAEC\n",
      body + line + "\tAAEC\n", body + line + "AAEC\n", body + line + "  AAEC\r\n", body + line,
      body + line + "  AAE\n", body + line + "  AAE!\n", body + line + "  AAF=\n", body + line + "  AA==\n  AAEC\n",
      body + line + "  " + std::string(80, 'A') + "\n", body + "x509-signature: >\n  AAEC\n",
      body + "x509-signature: | \n  AAEC\n", body + "x509-signature: |\r\n  AAEC\n", body + "x509-signature: AAEC\n",
      body + "x509-signature:");
  CHECK(fault_of(document) == Fault::doc_signature_block);
}

TEST_CASE("sizes are limited before anything is decoded") {
  CHECK(fault_of(std::string((16u << 20) + 1, 'a')) == Fault::too_large);
  std::string block;
  for (int i = 0; i < 1000; ++i) block += "  " + std::string(76, 'A') + "\n";
  CHECK(fault_of(body + line + block) == Fault::doc_signature_block);
}

}  // namespace
}  // namespace imageswarm::trust
