#include "common/image/decompress.hpp"

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "common/image/artefact_input.hpp"

namespace imageswarm::image {
namespace {

constexpr std::uint64_t max_memory = 128u << 20;
constexpr int max_zstd_window_log = 27;

using In = std::span<std::byte const>;
using Out = std::span<std::byte>;

/// What one call of a library did.
struct Step {
  std::size_t consumed = 0;
  std::size_t produced = 0;
  bool ended = false;  // the stream (of zstd: the frame) is complete
};

tl::unexpected<Error> broken(std::string_view format, std::string_view why) {
  return fail(Fault::image_compression, "the {} data: {}", format, why);
}

template <class Byte>
auto* bytes_of(auto span) {
  return const_cast<Byte*>(reinterpret_cast<Byte const*>(span.data()));
}

// Each codec has a name, `start`, `step`, and `continues`: may a further stream that begins like this follow?

class Gzip {
public:
  static constexpr std::string_view name = "gzip";
  ~Gzip() { ::inflateEnd(&stream_); }

  bool start() {
    constexpr int largest_window = 15, gzip_header = 16;
    return ::inflateInit2(&stream_, largest_window + gzip_header) == Z_OK;
  }
  Result<Step> step(In in, Out out) {
    stream_.next_in = bytes_of<Bytef>(in);
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = bytes_of<Bytef>(out);
    stream_.avail_out = static_cast<uInt>(out.size());
    int const status = ::inflate(&stream_, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
      return broken(name, stream_.msg ? stream_.msg : "not readable");
    }
    return Step{in.size() - stream_.avail_in, out.size() - stream_.avail_out, status == Z_STREAM_END};
  }
  bool continues(In) const { return false; }

private:
  z_stream stream_{};
};

class Xz {
public:
  static constexpr std::string_view name = "xz";
  ~Xz() { ::lzma_end(&stream_); }

  bool start() { return ::lzma_stream_decoder(&stream_, max_memory, LZMA_TELL_UNSUPPORTED_CHECK) == LZMA_OK; }
  Result<Step> step(In in, Out out) {
    stream_.next_in = bytes_of<std::uint8_t>(in);
    stream_.avail_in = in.size();
    stream_.next_out = bytes_of<std::uint8_t>(out);
    stream_.avail_out = out.size();
    auto const status = ::lzma_code(&stream_, in.empty() ? LZMA_FINISH : LZMA_RUN);
    if (status != LZMA_OK && status != LZMA_STREAM_END && status != LZMA_BUF_ERROR) {
      return broken(name, why(status));
    }
    return Step{in.size() - stream_.avail_in, out.size() - stream_.avail_out, status == LZMA_STREAM_END};
  }
  bool continues(In) const { return false; }

private:
  static std::string_view why(lzma_ret status) {
    switch (status) {
      case LZMA_MEMLIMIT_ERROR:
        return "needs more than 128 MiB of memory to unpack";
      case LZMA_FORMAT_ERROR:
        return "not in this format";
      case LZMA_UNSUPPORTED_CHECK:
      case LZMA_OPTIONS_ERROR:
        return "uses options that are not supported";
      default:
        return "damaged";
    }
  }
  lzma_stream stream_ = LZMA_STREAM_INIT;
};

class Zstd {
public:
  static constexpr std::string_view name = "zstd";
  ~Zstd() { ::ZSTD_freeDCtx(context_); }

  bool start() {
    context_ = ::ZSTD_createDCtx();
    return context_ && !ZSTD_isError(::ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, max_zstd_window_log));
  }
  Result<Step> step(In in, Out out) {
    // The library would skip what is not a frame of data without a word.
    if (at_start_ && in.size() >= magic.size() && !continues(in)) return broken(name, "not in this format");
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    auto const status = ::ZSTD_decompressStream(context_, &to, &from);
    if (ZSTD_isError(status)) return broken(name, ::ZSTD_getErrorName(status));
    at_start_ = status == 0;
    return Step{from.pos, to.pos, at_start_};
  }
  bool continues(In in) const { return in.size() >= magic.size() && std::ranges::equal(in.first(magic.size()), magic); }

private:
  static constexpr std::array magic{std::byte{0x28}, std::byte{0xb5}, std::byte{0x2f}, std::byte{0xfd}};
  ZSTD_DCtx* context_ = nullptr;
  bool at_start_ = true;
};

class Bzip2 {
public:
  static constexpr std::string_view name = "bzip2";
  ~Bzip2() { ::BZ2_bzDecompressEnd(&stream_); }

  bool start() {
    constexpr int silent = 0, fast = 0;
    return ::BZ2_bzDecompressInit(&stream_, silent, fast) == BZ_OK;
  }
  Result<Step> step(In in, Out out) {
    stream_.next_in = bytes_of<char>(in);
    stream_.avail_in = static_cast<unsigned>(in.size());
    stream_.next_out = bytes_of<char>(out);
    stream_.avail_out = static_cast<unsigned>(out.size());
    int const status = ::BZ2_bzDecompress(&stream_);
    if (status != BZ_OK && status != BZ_STREAM_END) return broken(name, "damaged, or not in this format");
    return Step{in.size() - stream_.avail_in, out.size() - stream_.avail_out, status == BZ_STREAM_END};
  }
  bool continues(In) const { return false; }

private:
  bz_stream stream_{};
};

template <class Codec>
class StreamDecoder final : public Decoder {
public:
  explicit StreamDecoder(Input& input) : input_{input} {}
  bool start() { return codec_.start(); }

  Result<std::size_t> read(Out out) override {
    std::size_t done = 0;
    while (done < out.size() && !ended_) {
      auto const in = input_.peek(look_ahead);
      if (!in) return fail(in.error());
      auto const step = codec_.step(*in, out.subspan(done));
      if (!step) return fail(step.error());
      input_.consume(step->consumed);
      done += step->produced;
      if (step->ended) {
        if (auto const fine = end_of_stream(); !fine) return fail(fine.error());
      } else if (step->consumed == 0 && step->produced == 0) {
        if (in->empty()) return fail(Fault::image_truncated, "the {} data ends too early", Codec::name);
        return broken(Codec::name, "damaged");
      }
    }
    return done;
  }

private:
  static constexpr std::size_t look_ahead = 4;  // the longest magic number of a stream

  Result<> end_of_stream() {
    auto const rest = input_.peek(look_ahead);
    if (!rest) return fail(rest.error());
    ended_ = rest->empty();
    if (ended_ || codec_.continues(*rest)) return {};
    return fail(Fault::image_trailing_data, "something follows the {} data", Codec::name);
  }

  Input& input_;
  Codec codec_;
  bool ended_ = false;
};

template <class Codec>
Result<std::unique_ptr<Decoder>> started(Input& input) {
  auto decoder = std::make_unique<StreamDecoder<Codec>>(input);
  if (!decoder->start()) return fail(Fault::internal, "starting the {} decoder", Codec::name);
  return decoder;
}

}  // namespace

Result<std::span<std::byte const>> Input::peek(std::size_t least) {
  if (end_ - begin_ < least) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  while (end_ < least && left_ > 0) {
    auto const room = std::min<std::uint64_t>(buffer_.size() - end_, left_);
    auto const count = read_artefact(fd_, std::span{buffer_}.subspan(end_, room), offset_);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(Fault::disk_error, "reading the image: {}", std::strerror(errno));
    if (count == 0) return fail(Fault::image_truncated, "the file became shorter while it was read");
    end_ += static_cast<std::size_t>(count);
    offset_ += static_cast<std::uint64_t>(count);
    left_ -= static_cast<std::uint64_t>(count);
  }
  return std::span{buffer_}.subspan(begin_, end_ - begin_);
}

Result<std::unique_ptr<Decoder>> make_decoder(document::Compression format, Input& input) {
  switch (format) {
    case document::Compression::gzip:
      return started<Gzip>(input);
    case document::Compression::xz:
      return started<Xz>(input);
    case document::Compression::zstd:
      return started<Zstd>(input);
    case document::Compression::bzip2:
      return started<Bzip2>(input);
    case document::Compression::none:
      break;
  }
  return fail(Fault::internal, "nothing to unpack");
}

}  // namespace imageswarm::image
