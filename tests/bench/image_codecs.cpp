// Packing and unpacking of one image, ours beside the usual tool on the same file in the same run:
// bench_image_codecs IMAGE [DIRECTORY for the packed files, default /tmp]
#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "common/base/child.hpp"
#include "common/image/compress.hpp"
#include "common/image/inspect.hpp"

using namespace imageswarm;
using document::Compression;

namespace {

struct Row {
  Compression compression;
  std::string name;
  std::string tool;  // writes the content to its output
};

Row const rows[] = {{Compression::none, "none", "cat"},
                    {Compression::zstd, "zstd", "zstd -qdc"},
                    {Compression::gzip, "gzip", "gzip -dc"},
                    {Compression::bzip2, "bzip2", "bzip2 -dc"},
                    {Compression::xz, "xz", "xz -dc"}};

template <class Work>
double seconds(Work work) {
  auto const start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

[[noreturn]] void give_up(Error const& error) {
  fmt::print(stderr, "{}\n", error.line());
  std::exit(1);
}

template <class T>
T or_give_up(Result<T> result) {
  if (!result) give_up(result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

void pack(Compression format, std::filesystem::path const& from, std::filesystem::path const& to) {
  UniqueFd const output{::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  image::Compressor compressor{format,
                               [&](std::span<std::byte const> data) { return write_all(output.get(), data, to); }};
  auto const input = or_give_up(open_regular(from));
  auto const size = or_give_up(size_of(input));
  // `none` hands the file's bytes through, in the pieces that the indexer reads.
  auto const copied = image::unpack(input, {Compression::none, size, or_give_up(image::inspect(input, {})).disk_format},
                                    [&](std::span<std::byte const> data) { return compressor.update(data); }, {});
  or_give_up(copied);
  or_give_up(compressor.finish());
}

void unpack_with_tool(std::string const& tool, std::filesystem::path const& file) {
  auto child = or_give_up(Child::start({.argv = {"/bin/sh", "-c", tool + " \"$0\" | cat > /dev/null", file.string()},
                                        .descriptors = {},
                                        .environment = {"PATH=/usr/bin:/bin"}}));
  if (or_give_up(child.wait({})) != 0) give_up({Fault::child_failed, tool});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  std::filesystem::path const image = argv[1], directory = argc > 2 ? argv[2] : "/tmp";
  auto const input = or_give_up(open_regular(image));
  auto const size = or_give_up(size_of(input));
  auto const format = or_give_up(image::inspect(input, {})).disk_format;
  auto const speed = [size](double took) { return static_cast<double>(size.value) / 1e6 / took; };
  auto const best_of_3 = [](auto work) { return std::min({seconds(work), seconds(work), seconds(work)}); };
  fmt::print("{}: {}, {}; MB/s are of content, unpacking the best of three\n", image.filename().string(), format,
             human(size));
  fmt::print("{:<6} {:>10} {:>7} {:>11} {:>13} {:>13}  {}\n", "", "packed", "share", "pack MB/s", "unpack MB/s",
             "tool MB/s", "tool");
  for (auto const& row : rows) {
    auto const file = directory / ("image-codecs-bench" + std::string{image::extension_of(row.compression)});
    auto const packing = seconds([&] { pack(row.compression, image, file); });
    auto const packed = or_give_up(open_regular(file));
    auto const packed_size = or_give_up(size_of(packed));
    auto const ours = best_of_3([&] {
      or_give_up(image::unpack(packed, {row.compression, size, format},
                               [](std::span<std::byte const>) { return Result<>{}; }, {}));
    });
    auto const theirs = best_of_3([&] { unpack_with_tool(row.tool, file); });
    fmt::print("{:<6} {:>10} {:>6.1f}% {:>11.0f} {:>13.0f} {:>13.0f}  {} | cat\n", row.name, human(packed_size),
               100.0 * static_cast<double>(packed_size.value) / static_cast<double>(size.value), speed(packing),
               speed(ours), speed(theirs), row.tool);
    std::filesystem::remove(file);
  }
}
