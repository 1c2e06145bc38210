#include "tests/support/test_ca.hpp"

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace imageswarm::test {

namespace {

void run(std::string const& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error{"failed: " + command};
}

}  // namespace

void shell(std::filesystem::path const& directory, std::string const& line) {
  run("cd '" + directory.native() + "' && { " + line + "; } </dev/null >/dev/null 2>&1");
}

TestCa::TestCa() {
  run("'" IMAGESWARM_SOURCE_DIR "/tests/support/test-ca' '" + path().native() + "'");
  now_ = SystemClock{}.now();
}

TestCa const& TestCa::instance() {
  static TestCa const ca;
  return ca;
}

trust::SigningIdentity TestCa::signer(std::string const& name) const {
  auto identity = trust::SigningIdentity::load(certificate(name), key(name), now_);
  if (!identity) throw std::runtime_error{name + ": " + identity.error().line()};
  return std::move(*identity);
}

AnchorsCopy::AnchorsCopy() {
  std::filesystem::copy(TestCa::instance().path(), path(), std::filesystem::copy_options::recursive);
}

trust::AnchorPolicy AnchorsCopy::policy(trust::Requirement crl) const {
  return {path() / "anchors", crl};
}

std::filesystem::path AnchorsCopy::file_of(std::string const& authority, std::string const& suffix,
                                           std::string const& hash) const {
  shell(path(), "openssl x509 -noout -" + hash + " -in ca/" + authority + ".pem >hash");
  std::string name;
  std::ifstream{path() / "hash"} >> name;
  return path() / "anchors" / (name + "." + suffix);
}

}  // namespace imageswarm::test
