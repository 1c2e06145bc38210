// The helper that touches the bytes of images: confines itself, unpacks, judges, passes on (protocol.hpp). It lives as
// long as one job, and a crash of it is a refusal, not an outage.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "common/image/content.hpp"
#include "common/image/formats.hpp"
#include "common/image/manifest.hpp"
#include "common/image/ova_derivation.hpp"
#include "common/image/ova_order.hpp"
#include "common/image/protocol.hpp"
#include "common/image/qcow2_disk.hpp"
#include "common/image/sandbox.hpp"

namespace imageswarm::image {
namespace {

/// The decoders' 128 MiB, and what a small program with its libraries and buffers takes.
constexpr ByteCount memory_limit = 256_MiB;

enum class Want { content, derivation, disk };

struct Job {
  document::Compression compression{};
  ByteCount artefact_size;
  ByteCount content_size;
  Want want = Want::content;
};

Result<Job> parse_job(std::span<char*> arguments) {
  auto const word_after = std::string_view{arguments.size() == 5 ? arguments[4] : ""};
  auto const want = word_after == derive_word ? Want::derivation : word_after == disk_word ? Want::disk : Want::content;
  if (arguments.size() != 4 && want == Want::content) {
    return fail(Fault::usage, "this program is started by imageswarmd and imageswarm-index");
  }
  auto const word = std::ranges::find(compression_words, std::string_view{arguments[1]});
  if (word == compression_words.end()) return fail(Fault::usage, "no such compression");
  auto const artefact = parse_number(arguments[2], 0, INT64_MAX);
  if (!artefact) return fail(artefact.error());
  auto const content = parse_number(arguments[3], 0, INT64_MAX);
  if (!content) return fail(content.error());
  return Job{static_cast<document::Compression>(word - compression_words.begin()), {*artefact}, {*content}, want};
}

Result<> say(std::string_view line) {
  return write_all(verdict_descriptor, std::as_bytes(std::span{line}), "the verdict");
}

Result<> say_verdict(Inspection const& found) {
  return say(fmt::format("image {} {} {} {}\n", found.disk_format, found.container_format, found.virtual_size.value,
                         partition_words[static_cast<std::size_t>(found.partitions)]));
}

/// Keeps the last bytes of a stream.
class Tail {
public:
  void update(std::span<std::byte const> data) {
    auto const fresh = data.last(std::min<std::size_t>(data.size(), tail_size.value));
    auto const kept = std::min(bytes_.size(), tail_size.value - fresh.size());
    bytes_.erase(bytes_.begin(), bytes_.end() - static_cast<std::ptrdiff_t>(kept));
    bytes_.insert(bytes_.end(), fresh.begin(), fresh.end());
  }
  std::span<std::byte const> bytes() const { return bytes_; }

private:
  std::vector<std::byte> bytes_;
};

/// An image that is not compressed is judged from both its ends; the parent reads the content itself,
/// meanwhile.
Result<> inspect_in_place(ByteCount size) {
  FileContent file{artefact_descriptor, size};
  auto const found = judge(file);
  if (!found) return fail(found.error());
  if (auto const said = say_verdict(*found); !said) return said;
  auto const tail = read_part(file, (size - tail_size).value, std::min(tail_size, size).value);
  return tail ? judge_tail(*tail) : fail(tail.error());
}

Result<> unpack(Job const& job) {
  UnpackedContent content{artefact_descriptor, job.artefact_size, job.compression, job.content_size};
  auto const found = judge(content);
  if (!found) return fail(found.error());
  if (auto const said = say_verdict(*found); !said) return said;
  Tail tail;
  auto const pass_on = [&tail](std::span<std::byte const> piece) {
    tail.update(piece);
    return write_all(content_descriptor, piece, "the content");
  };
  if (auto const done = read_through(content, 0, job.content_size.value, pass_on); !done) return done;
  return judge_tail(tail.bytes());
}

/// To be read in any order.
std::unique_ptr<Content> content_of(Job const& job) {
  if (job.compression == document::Compression::none)
    return std::make_unique<FileContent>(artefact_descriptor, job.artefact_size);
  return std::make_unique<UnpackedContent>(artefact_descriptor, job.artefact_size, job.compression, job.content_size);
}

/// Another appliance, or the disk of it.
Result<> derive(Job const& job, OvaOrder order) {
  auto const content = content_of(job);
  auto const derivation = OvaDerivation::prepare(*content, std::move(order));
  if (!derivation) return fail(derivation.error());
  if (auto const said = say_verdict(derivation->result()); !said) return said;
  return derivation->write(
      [](std::span<std::byte const> piece) { return write_all(content_descriptor, piece, "the content"); });
}

/// What the parent wants of an appliance.
Result<OvaOrder> take_order() {
  std::string text;
  std::vector<char> buffer(piece_size);
  for (;;) {
    auto const count = ::read(order_descriptor, buffer.data(), buffer.size());
    if (count < 0) return fail(Fault::internal, "reading the order: {}", std::strerror(errno));
    if (count == 0) return read_order(text);
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

Result<> send(std::uint64_t offset, std::span<std::byte const> data) {
  while (!data.empty()) {
    auto const part = data.first(std::min(data.size(), piece_size));
    Extent const extent{offset, part.size()};
    auto const written = write_all(content_descriptor, std::as_bytes(std::span{&extent, 1}), "the disk").and_then([&] {
      return write_all(content_descriptor, part, "the disk");
    });
    if (!written) return written;
    offset += part.size();
    data = data.subspan(part.size());
  }
  return {};
}

Result<> send_disk(ByteCount size) {
  FileContent file{artefact_descriptor, size};
  auto const found = judge(file);
  if (!found) return fail(found.error());
  if (found->disk_format != "qcow2") {
    return fail(Fault::image_format_unsupported, "only the disk of a qcow2 can be read, not that of {} ({})",
                found->disk_format, found->container_format);
  }
  auto const head = read_part(file, 0, std::min(head_size, size).value);
  if (!head) return fail(head.error());
  Qcow2Disk disk{*head, file};
  auto const data = disk.data();
  if (!data) return fail(data.error());
  auto const said = say_verdict(*found).and_then([&] { return say(fmt::format("data {}\n", data->value)); });
  return said ? disk.read(send) : said;
}

Result<> run(Job const& job) {
  load_digests();
  auto order = job.want == Want::derivation ? take_order() : Result<OvaOrder>{};  // while it can still be read
  if (!order) return fail(order.error());
  if (auto const inside = enter_sandbox({memory_limit, time_budget(job.artefact_size, job.content_size)}); !inside) {
    return inside;
  }
  if (job.want == Want::derivation) return derive(job, std::move(*order));
  if (job.want == Want::disk) return send_disk(job.artefact_size);
  return job.compression == document::Compression::none ? inspect_in_place(job.artefact_size) : unpack(job);
}

int serve(std::span<char*> arguments) {
  auto const job = parse_job(arguments);
  if (!job) return fmt::print(stderr, "imageswarm-inspector: {}\n", job.error().line()), 2;
  auto const done = run(*job);
  // Whatever the image had to do with the text of a fault: it stays one short line.
  auto const last = done ? std::string{"end\n"}
                         : fmt::format("fault {} {}\n", word(done.error().fault), printable(done.error().what));
  return say(last) ? 0 : 1;
}

}  // namespace
}  // namespace imageswarm::image

int main(int argc, char** argv) {
  int status = 1;
  try {
    status = imageswarm::image::serve({argv, static_cast<std::size_t>(argc)});
  } catch (std::exception const&) {
    // Out of memory: the parent takes a missing last line for a crash.
  }
  ::_exit(status);  // nothing that runs at exit is worth a system call more
}
