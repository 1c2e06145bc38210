#include "daemon/sinks/glance_signature.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/temporary_directory.hpp"

namespace imageswarm::sinks {
namespace {

/// A key as an operator makes one.
struct KeyOnDisk {
  explicit KeyOnDisk(std::string const& curve) : settings{directory / "key.pem", Uuid::random().text()} {
    auto const command = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:" + curve + " -out " +
                         settings.key.native() + " 2>/dev/null";
    REQUIRE(std::system(command.c_str()) == 0);  // NOLINT(cert-env33-c,concurrency-mt-unsafe)
  }
  test::TemporaryDirectory directory;
  flow::SignatureSettings settings;
};

openstack::GlanceImage record_with(std::map<std::string, std::string> properties) {
  openstack::GlanceImage record;
  record.properties = std::move(properties);
  return record;
}

TEST_CASE("a signature fits into a property, and is made once") {
  auto const [curve, type] = GENERATE(std::pair{"P-384", "ECC_SECP384R1"}, std::pair{"P-521", "ECC_SECP521R1"});
  KeyOnDisk const key{curve};
  auto const content = digest_of<Sha512>("content");
  auto const first = signature_properties(key.settings, content, {});
  REQUIRE(first);
  CHECK(first->at("img_signature").size() <= 255);
  CHECK(first->at("img_signature_key_type") == type);
  CHECK(first->at("img_signature_hash_method") == "SHA-512");
  CHECK(first->at("img_signature_certificate_uuid") == key.settings.certificate_uuid);
  CHECK(signature_properties(key.settings, content, record_with(*first)).value() == *first);
  SECTION("of other content, by another key, or no signature at all: it is made anew") {
    auto const other = signature_properties(key.settings, digest_of<Sha512>("other"), record_with(*first));
    CHECK(other.value().at("img_signature") != first->at("img_signature"));
    KeyOnDisk const renewed{curve};
    CHECK(signature_properties(renewed.settings, content, record_with(*first)).value().at("img_signature") !=
          first->at("img_signature"));
    CHECK(signature_properties(key.settings, content, record_with({{"img_signature", "?"}})));
  }
}

TEST_CASE("a key that Nova does not know or that cannot be read is named") {
  KeyOnDisk key{"P-256"};
  CHECK(signature_properties(key.settings, {}, {}).error().fault == Fault::config_value);
  std::ofstream{key.settings.key} << "no key";
  CHECK(signature_properties(key.settings, {}, {}).error().fault == Fault::key_unreadable);
  std::filesystem::remove(key.settings.key);
  CHECK(signature_properties(key.settings, {}, {}).error().fault == Fault::key_unreadable);
}

}  // namespace
}  // namespace imageswarm::sinks
