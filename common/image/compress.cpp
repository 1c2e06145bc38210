#include "common/image/compress.hpp"

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace imageswarm::image {
namespace {

using In = std::span<std::byte const>;
using Out = std::span<std::byte>;

// By measurement on a Debian image (tests/bench/image_codecs.cpp), where zstd 10 makes 27.8 % of it at 40 MB/s and
// core: 6 leaves 4 % more to send, 12 gains 0.2 % for 60 % more time. A window of 128 MiB would save 2.5 %, and cost
// every host 135 MiB of memory instead of 9 MiB while it unpacks.
constexpr int zstd_level = 10;
constexpr int gzip_level = 6;
constexpr std::uint32_t xz_preset = 6;  // 9 MiB to unpack
constexpr int bzip2_level = 9;

struct Step {
  std::size_t consumed = 0;
  std::size_t produced = 0;
  bool ended = false;
  bool failed = false;
};

template <class Byte>
auto* bytes_of(auto span) {
  return const_cast<Byte*>(reinterpret_cast<Byte const*>(span.data()));
}

class Gzip {
public:
  ~Gzip() { ::deflateEnd(&stream_); }
  bool start() {
    constexpr int largest_window = 15, gzip_header = 16, default_memory = 8;
    return ::deflateInit2(&stream_, gzip_level, Z_DEFLATED, largest_window + gzip_header, default_memory,
                          Z_DEFAULT_STRATEGY) == Z_OK;
  }
  Step step(In in, Out out, bool last) {
    stream_.next_in = bytes_of<Bytef>(in);
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = bytes_of<Bytef>(out);
    stream_.avail_out = static_cast<uInt>(out.size());
    int const status = ::deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH);
    return {in.size() - stream_.avail_in, out.size() - stream_.avail_out, status == Z_STREAM_END,
            status == Z_STREAM_ERROR};
  }

private:
  z_stream stream_{};
};

class Xz {
public:
  ~Xz() { ::lzma_end(&stream_); }
  bool start() {
    lzma_mt options{};
    options.threads = std::max(1u, std::thread::hardware_concurrency());
    options.preset = xz_preset;
    options.check = LZMA_CHECK_CRC64;
    return ::lzma_stream_encoder_mt(&stream_, &options) == LZMA_OK;
  }
  Step step(In in, Out out, bool last) {
    stream_.next_in = bytes_of<std::uint8_t>(in);
    stream_.avail_in = in.size();
    stream_.next_out = bytes_of<std::uint8_t>(out);
    stream_.avail_out = out.size();
    auto const status = ::lzma_code(&stream_, last ? LZMA_FINISH : LZMA_RUN);
    return {in.size() - stream_.avail_in, out.size() - stream_.avail_out, status == LZMA_STREAM_END,
            status != LZMA_OK && status != LZMA_STREAM_END && status != LZMA_BUF_ERROR};
  }

private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
};

class Zstd {
public:
  ~Zstd() { ::ZSTD_freeCCtx(context_); }
  bool start() {
    context_ = ::ZSTD_createCCtx();
    if (!context_) return false;
    // A library without threads refuses the number of workers and compresses all the same.
    ::ZSTD_CCtx_setParameter(context_, ZSTD_c_nbWorkers, static_cast<int>(std::thread::hardware_concurrency()));
    return !ZSTD_isError(::ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, zstd_level)) &&
           !ZSTD_isError(::ZSTD_CCtx_setParameter(context_, ZSTD_c_checksumFlag, 1));
  }
  Step step(In in, Out out, bool last) {
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    auto const status = ::ZSTD_compressStream2(context_, &to, &from, last ? ZSTD_e_end : ZSTD_e_continue);
    return {from.pos, to.pos, last && status == 0, ZSTD_isError(status) != 0};
  }

private:
  ZSTD_CCtx* context_ = nullptr;
};

class Bzip2 {
public:
  ~Bzip2() { ::BZ2_bzCompressEnd(&stream_); }
  bool start() {
    constexpr int silent = 0, default_effort = 0;
    return ::BZ2_bzCompressInit(&stream_, bzip2_level, silent, default_effort) == BZ_OK;
  }
  Step step(In in, Out out, bool last) {
    if (in.empty() && !last) return {};  // which the library takes for a mistake
    stream_.next_in = bytes_of<char>(in);
    stream_.avail_in = static_cast<unsigned>(in.size());
    stream_.next_out = bytes_of<char>(out);
    stream_.avail_out = static_cast<unsigned>(out.size());
    int const status = ::BZ2_bzCompress(&stream_, last ? BZ_FINISH : BZ_RUN);
    return {in.size() - stream_.avail_in, out.size() - stream_.avail_out, status == BZ_STREAM_END, status < 0};
  }

private:
  bz_stream stream_{};
};

/// Takes data, or the request to end (`last`, without data), and gives what comes of it to `output`.
class Encoder {
public:
  virtual ~Encoder() = default;
  [[nodiscard]] virtual Result<> feed(In data, bool last, Compressor::Output const& output) = 0;
};

class PassThrough final : public Encoder {
public:
  Result<> feed(In data, bool, Compressor::Output const& output) override {
    return data.empty() ? Result<>{} : output(data);
  }
};

template <class Codec>
class StreamEncoder final : public Encoder {
public:
  Result<> feed(In data, bool last, Compressor::Output const& output) override {
    if (!ready_) return fail(Fault::internal, "the compression library cannot start");
    for (;;) {
      auto const step = codec_.step(data.first(std::min(data.size(), most_at_once)), buffer_, last);
      if (step.failed) return fail(Fault::internal, "the compression library failed");
      data = data.subspan(step.consumed);
      if (step.produced > 0) {
        if (auto taken = output(std::span{buffer_}.first(step.produced)); !taken) return taken;
      }
      if (last ? step.ended : data.empty() && step.produced < buffer_.size()) return {};
    }
  }

private:
  static constexpr std::size_t most_at_once = 1u << 30;  // some libraries count in 32 bits
  std::vector<std::byte> buffer_ = std::vector<std::byte>(256u << 10);
  Codec codec_;
  bool ready_ = codec_.start();
};

std::unique_ptr<Encoder> make_encoder(document::Compression format) {
  switch (format) {
    case document::Compression::gzip:
      return std::make_unique<StreamEncoder<Gzip>>();
    case document::Compression::xz:
      return std::make_unique<StreamEncoder<Xz>>();
    case document::Compression::zstd:
      return std::make_unique<StreamEncoder<Zstd>>();
    case document::Compression::bzip2:
      return std::make_unique<StreamEncoder<Bzip2>>();
    case document::Compression::none:
      break;
  }
  return std::make_unique<PassThrough>();
}

}  // namespace

struct Compressor::Impl {
  std::unique_ptr<Encoder> encoder;
  Output output;
};

Compressor::Compressor(document::Compression format, Output output)
    : impl_{std::make_unique<Impl>(Impl{make_encoder(format), std::move(output)})} {}

Compressor::~Compressor() = default;

Result<> Compressor::update(std::span<std::byte const> data) {
  return impl_->encoder->feed(data, false, impl_->output);
}

Result<> Compressor::finish() {
  return impl_->encoder->feed({}, true, impl_->output);
}

Result<std::vector<std::byte>> pack_chunk(std::span<std::byte const> content) {
  std::unique_ptr<ZSTD_CCtx, decltype(&::ZSTD_freeCCtx)> const context{::ZSTD_createCCtx(), ::ZSTD_freeCCtx};
  if (!context || ZSTD_isError(::ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, zstd_level)) ||
      ZSTD_isError(::ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1))) {
    return fail(Fault::internal, "the compression library cannot start");
  }
  std::vector<std::byte> packed(::ZSTD_compressBound(content.size()));
  auto const size = ::ZSTD_compress2(context.get(), packed.data(), packed.size(), content.data(), content.size());
  if (ZSTD_isError(size)) return fail(Fault::internal, "the compression library failed");
  packed.resize(size);
  return packed;
}

std::string_view extension_of(document::Compression format) {
  switch (format) {
    case document::Compression::gzip:
      return ".gz";
    case document::Compression::xz:
      return ".xz";
    case document::Compression::zstd:
      return ".zst";
    case document::Compression::bzip2:
      return ".bz2";
    case document::Compression::none:
      break;
  }
  return "";
}

}  // namespace imageswarm::image
