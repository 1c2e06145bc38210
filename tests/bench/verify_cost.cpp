// What it costs a host to verify a signed catalogue and to decide on its images, beside what `openssl cms -verify` and
// a plain load with yaml-cpp take for the same bytes.
//
//   verify_cost [IMAGES…]     100, 1000 and 10000 if none are given
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <chrono>
#include <functional>
#include <memory>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "common/trust/envelope.hpp"
#include "common/trust/verify.hpp"
#include "daemon/selection/select.hpp"
#include "tests/support/sample_image.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_ca.hpp"

using namespace imageswarm;

namespace {

test::TestCa const& ca() {
  return test::TestCa::instance();
}

std::string signed_catalogue(int images) {
  document::Catalogue catalogue;
  catalogue.header.kind = document::Kind::catalogue;
  catalogue.header.name = "example";
  catalogue.header.issued = ca().now();
  catalogue.header.expires = ca().now() + std::chrono::days{28};
  for (int i = 0; i < images; ++i) {
    catalogue.images.push_back(
        test::sample_image(fmt::format("image-{}", i / 10), std::to_string(i), std::to_string(i)));
  }
  return ca().signer("ada").sign(document::write(catalogue)).value();
}

/// Runs `work` in a process of its own and prints what that took.
void measure(int images, ByteCount size, std::string_view what, std::function<bool()> const& work) {
  auto const began = std::chrono::steady_clock::now();
  auto const pid = ::fork();
  if (pid == 0) ::_exit(work() ? 0 : 1);
  int status = 0;
  rusage used{};
  ::wait4(pid, &status, 0, &used);
  std::chrono::duration<double> const wall = std::chrono::steady_clock::now() - began;
  auto const cpu = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                   static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  fmt::print("{:>7} {:>10} {:<24} {:>8.3f} {:>8.3f} {:>9}{}\n", images, human(size), what, wall.count(), cpu,
             used.ru_maxrss / 1024, status == 0 ? "" : "  FAILED");
  std::fflush(stdout);
}

std::shared_ptr<trust::VerifiedCatalogue const> verified(std::string const& bytes) {
  trust::Expectation expected;
  expected.kind = document::Kind::catalogue;
  expected.any_signer = true;
  auto catalogue = trust::verify_catalogue(bytes, ca().anchors(), expected, {}, {ca().now(), ca().now()});
  return catalogue ? std::make_shared<trust::VerifiedCatalogue const>(std::move(*catalogue)) : nullptr;
}

bool verify_and_select(std::string const& bytes, std::size_t images) {
  selection::Input input;
  input.policy = flow::ApprovalPolicy::all;
  input.catalogues = {{verified(bytes), "https://images.example.org/catalogue.yaml"}};
  input.now = ca().now();
  return input.catalogues.front().document && selection::select(input).decisions.size() == images;
}

bool openssl_verify(test::TemporaryDirectory const& files) {
  auto const anchors = (ca().path() / "anchors").native(), der = (files / "der").native(),
             body = (files / "body").native();
  ::execlp("openssl", "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", der.c_str(), "-content",
           body.c_str(), "-CApath", anchors.c_str(), "-no-CAfile", "-no-CAstore", "-crl_check_all", "-out", "/dev/null",
           nullptr);
  return false;
}

/// The document, its body and its signature as files, made in a process of its own: what was used up for making them
/// would count as used by everybody who is measured.
void make_files(test::TemporaryDirectory const& files, int images) {
  if (::fork() == 0) {
    auto const bytes = signed_catalogue(images);
    auto const envelope = trust::open_envelope(bytes).value();
    std::string_view const der{reinterpret_cast<char const*>(envelope.signature.data()), envelope.signature.size()};
    bool const good = write_file_atomically(files / "document", bytes) && write_file_atomically(files / "der", der) &&
                      write_file_atomically(files / "body", envelope.body);
    ::_exit(good ? 0 : 1);
  }
  ::wait(nullptr);
}

void measure_all(int images) {
  test::TemporaryDirectory const files;
  make_files(files, images);
  auto const read = [&files](char const* name) { return read_file(files / name, 64_MiB).value(); };
  ByteCount const size{std::filesystem::file_size(files / "document")};
  measure(images, size, "verify", [&] { return verified(read("document")) != nullptr; });
  measure(images, size, "verify and select",
          [&] { return verify_and_select(read("document"), static_cast<std::size_t>(images)); });
  measure(images, size, "openssl cms -verify", [&] { return openssl_verify(files); });
  measure(images, size, "yaml-cpp, a plain load", [&] { return YAML::Load(read("body")).IsMap(); });
}

}  // namespace

int main(int argc, char** argv) {
  ca();  // before there are children, which share it
  fmt::print("{:>7} {:>10} {:<24} {:>8} {:>8} {:>9}\n", "images", "size", "", "wall s", "CPU s", "peak MiB");
  std::fflush(stdout);
  for (int i = 1; i < argc; ++i) measure_all(std::atoi(argv[i]));
  for (int const images : {100, 1000, 10000}) {
    if (argc == 1) measure_all(images);
  }
}
