// The helper that touches the bytes of images: confines itself, unpacks, judges, passes on (protocol.hpp). It lives as
// long as one job, and a crash of it is a refusal, not an outage.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <exception>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/file.hpp"
#include "common/base/units.hpp"
#include "common/image/decompress.hpp"
#include "common/image/formats.hpp"
#include "common/image/protocol.hpp"
#include "common/image/sandbox.hpp"

namespace imageswarm::image {
namespace {

/// The decoders' 128 MiB, and what a small program with its libraries and buffers takes.
constexpr ByteCount memory_limit = 256_MiB;

struct Job {
  document::Compression compression{};
  ByteCount artefact_size;
  ByteCount content_size;
};

Result<Job> parse_job(std::span<char*> arguments) {
  if (arguments.size() != 4) return fail(Fault::usage, "this program is started by imageswarmd and imageswarm-index");
  auto const word = std::ranges::find(compression_words, std::string_view{arguments[1]});
  if (word == compression_words.end()) return fail(Fault::usage, "no such compression");
  auto const artefact = parse_number(arguments[2], 0, INT64_MAX);
  if (!artefact) return fail(artefact.error());
  auto const content = parse_number(arguments[3], 0, INT64_MAX);
  if (!content) return fail(content.error());
  return Job{static_cast<document::Compression>(word - compression_words.begin()), {*artefact}, {*content}};
}

Result<> say(std::string_view line) {
  return write_all(verdict_descriptor, std::as_bytes(std::span{line}), "the verdict");
}

Result<> say_verdict(Inspection const& found) {
  return say(fmt::format("image {} {}\n", found.disk_format, found.virtual_size.value));
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

Result<std::vector<std::byte>> read_at(std::uint64_t offset, std::size_t size) {
  std::vector<std::byte> data(size);
  std::size_t done = 0;
  while (done < size) {
    auto const count = ::pread(artefact_descriptor, data.data() + done, size - done, static_cast<off_t>(offset + done));
    if (count < 0) return fail(Fault::disk_error, "reading the image failed");
    if (count == 0) return fail(Fault::image_truncated, "the file became shorter while it was read");
    done += static_cast<std::size_t>(count);
  }
  return data;
}

/// An image that is not compressed is judged from both its ends; the parent reads the content itself.
Result<> inspect_in_place(ByteCount size) {
  auto const head = read_at(0, std::min(head_size, size).value);
  if (!head) return fail(head.error());
  auto const found = judge_head(*head, size);
  if (!found) return fail(found.error());
  auto const tail = read_at((size - tail_size).value, std::min(tail_size, size).value);
  if (!tail) return fail(tail.error());
  if (auto const fine = judge_tail(*tail); !fine) return fine;
  return say_verdict(*found);
}

/// The next piece of at most `most` bytes, never more than one byte beyond the promise.
class Content {
public:
  Content(Decoder& decoder, ByteCount promised) : decoder_{decoder}, left_{promised} {}

  Result<std::span<std::byte const>> next(std::vector<std::byte>& buffer) {
    auto const wanted = std::min<std::uint64_t>(buffer.size(), left_.value + 1);
    auto const got = decoder_.read(std::span{buffer}.first(wanted));
    if (!got) return fail(got.error());
    if (*got > left_.value) return fail(Fault::bomb, "the content goes on after the promised size");
    left_ = left_ - ByteCount{*got};
    if (*got < wanted && left_.value > 0) {
      return fail(Fault::image_truncated, "the content ends {} bytes before the promised size", left_.value);
    }
    return std::span{buffer}.first(*got);
  }

private:
  Decoder& decoder_;
  ByteCount left_;
};

Result<> unpack(Job const& job) {
  Input input{artefact_descriptor, job.artefact_size};
  auto const decoder = make_decoder(job.compression, input);
  if (!decoder) return fail(decoder.error());
  Content content{**decoder, job.content_size};
  Tail tail;
  std::vector<std::byte> buffer(head_size.value);
  bool judged = false;
  for (;;) {
    auto const piece = content.next(buffer);
    if (!piece) return fail(piece.error());
    if (!judged) {
      auto const found = judge_head(*piece, job.content_size);
      if (!found) return fail(found.error());
      if (auto const said = say_verdict(*found); !said) return said;
      judged = true;
    }
    if (piece->empty()) return judge_tail(tail.bytes());
    tail.update(*piece);
    if (auto const written = write_all(content_descriptor, *piece, "the content"); !written) return written;
  }
}

Result<> run(Job const& job) {
  if (auto const inside = enter_sandbox({memory_limit, time_budget(job.artefact_size, job.content_size)}); !inside) {
    return inside;
  }
  return job.compression == document::Compression::none ? inspect_in_place(job.artefact_size) : unpack(job);
}

int serve(std::span<char*> arguments) {
  auto const job = parse_job(arguments);
  if (!job) return fmt::print(stderr, "imageswarm-inspector: {}\n", job.error().line()), 2;
  auto const done = run(*job);
  auto const last =
      done ? std::string{"end\n"} : fmt::format("fault {} {}\n", word(done.error().fault), done.error().what);
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
