#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <libtorrent/alert_types.hpp>
#include <libtorrent/create_torrent.hpp>
#include <libtorrent/load_torrent.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/session_params.hpp>
#include <map>

#include "common/torrent/torrent.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace imageswarm;
using torrent::Builder;
using torrent::Flavour;
namespace fs = std::filesystem;

namespace {

constexpr auto piece = 64_KiB;
constexpr TimePoint created{std::chrono::seconds{1'700'000'000}};

std::string content_of(std::size_t size) {
  std::string content(size, '\0');
  std::uint32_t x = 12345;
  for (auto& c : content) c = static_cast<char>((x = x * 1664525 + 1013904223) >> 24);
  return content;
}

Builder::Built build(std::string_view content, Flavour flavour, std::string_view name, std::size_t step = 10'007) {
  Builder builder{piece, flavour};
  for (std::size_t at = 0; at < content.size(); at += step) {
    builder.update(std::as_bytes(std::span{content.substr(at, step)}));
  }
  auto built = builder.finish(name, created);
  REQUIRE(built);
  return std::move(*built);
}

/// What libtorrent itself makes of the file.
lt::info_hash_t made_by_libtorrent(fs::path const& file, Flavour flavour, ByteCount piece_length = piece) {
  lt::file_storage files;
  lt::add_files(files, file.native());
  lt::create_torrent torrent{files, static_cast<int>(piece_length.value),
                             flavour == Flavour::v2 ? lt::create_torrent::v2_only : lt::create_flags_t{}};
  lt::set_piece_hashes(torrent, file.parent_path().native());
  std::string bytes;
  lt::bencode(std::back_inserter(bytes), torrent.generate());
  return lt::load_torrent_buffer(bytes).ti->info_hashes();
}

lt::session_params quiet() {
  lt::session_params params;
  params.settings.set_str(lt::settings_pack::listen_interfaces, "");
  params.settings.set_bool(lt::settings_pack::enable_dht, false);
  params.settings.set_bool(lt::settings_pack::enable_lsd, false);
  params.settings.set_bool(lt::settings_pack::enable_upnp, false);
  params.settings.set_bool(lt::settings_pack::enable_natpmp, false);
  params.settings.set_int(lt::settings_pack::alert_mask, lt::alert_category::status | lt::alert_category::error);
  return params;
}

/// Waits until as many torrents have been checked, and all of each was there.
void check_all_there(lt::session& session, std::size_t torrents) {
  std::map<std::string, double> checked;
  while (checked.size() < torrents) {
    REQUIRE(session.wait_for_alert(std::chrono::seconds{20}));
    std::vector<lt::alert*> alerts;
    session.pop_alerts(&alerts);
    for (auto* alert : alerts) {
      if (auto const* done = lt::alert_cast<lt::torrent_checked_alert>(alert)) {
        checked[done->torrent_name()] = done->handle.status().progress;
      }
    }
  }
  for (auto const& [name, progress] : checked) {
    CAPTURE(name);
    CHECK(progress == 1.0);
  }
}

constexpr std::size_t sizes[] = {1,      16383,  16384,   16385,  40'000, 65535,  65536,  65537,  131072,
                                 131073, 196608, 200'000, 262143, 262144, 262145, 327681, 524288, 1'000'000};

}  // namespace

TEST_CASE("libtorrent gives every artefact the same info-hashes and finds all of its pieces", "[torrent]") {
  test::TemporaryDirectory directory;
  lt::session session{quiet()};
  std::size_t added = 0;
  for (auto const flavour : {Flavour::v2, Flavour::hybrid}) {
    for (auto const size : sizes) {
      CAPTURE(size, flavour == Flavour::hybrid);
      auto const name = std::to_string(size) + (flavour == Flavour::v2 ? ".v2" : ".hybrid");
      auto const content = content_of(size);
      std::ofstream{directory / name, std::ios::binary} << content;
      auto const built = build(content, flavour, name);

      auto params = lt::load_torrent_buffer(built.bytes);
      auto const theirs = made_by_libtorrent(directory / name, flavour);
      CHECK(params.ti->info_hashes() == theirs);
      CHECK(theirs.v2.to_string() == std::string(built.info_hash_v2.bytes.begin(), built.info_hash_v2.bytes.end()));
      REQUIRE(theirs.has_v1() == built.info_hash_v1.has_value());
      if (theirs.has_v1()) {
        CHECK(theirs.v1.to_string() == std::string(built.info_hash_v1->bytes.begin(), built.info_hash_v1->bytes.end()));
      }
      params.save_path = directory.path();
      params.flags &= ~(lt::torrent_flags::paused | lt::torrent_flags::auto_managed);
      session.add_torrent(std::move(params));
      ++added;
    }
  }
  check_all_there(session, added);
}

TEST_CASE("libtorrent makes the same torrent of a directory of chunks and finds all of its pieces", "[torrent]") {
  test::TemporaryDirectory directory;
  lt::session session{quiet()};
  std::vector<std::vector<std::size_t>> const artefacts{
      {1, 1}, {16384, 3}, {16385, 16385}, {200'000, 140, 140, 70'000, 32768}, {65536, 65537, 1}};
  for (auto const& artefact : artefacts) {
    auto const name = std::to_string(artefact.size()) + "-" + std::to_string(artefact.front());
    fs::create_directory(directory / name);
    std::vector<torrent::Chunk> chunks;
    for (std::uint32_t i = 0; i < artefact.size(); ++i) {
      auto const content = content_of(artefact[i]);
      std::ofstream{directory / name / document::chunk_name(i), std::ios::binary} << content;
      chunks.push_back(torrent::chunk_of(std::as_bytes(std::span{content})));
    }
    auto const built = torrent::build(name, chunks, created);
    REQUIRE(built);
    auto const longest = *std::max_element(artefact.begin(), artefact.end());
    CHECK((built->piece_length.value >= longest && (longest <= 16384 || built->piece_length.value < 2 * longest)));

    auto params = lt::load_torrent_buffer(built->bytes);
    auto const theirs = made_by_libtorrent(directory / name, Flavour::v2, built->piece_length);
    CHECK(params.ti->info_hashes() == theirs);
    CHECK(theirs.v2.to_string() == std::string(built->info_hash_v2.bytes.begin(), built->info_hash_v2.bytes.end()));
    params.save_path = directory.path();
    params.flags &= ~(lt::torrent_flags::paused | lt::torrent_flags::auto_managed);
    session.add_torrent(std::move(params));
  }
  check_all_there(session, artefacts.size());
}

TEST_CASE("chunks that no piece can hold become no torrent", "[torrent]") {
  for (auto const& chunks : std::vector<std::vector<torrent::Chunk>>{{}, {{{0}, {}}}, {{{(16_MiB).value + 1}, {}}}}) {
    auto const built = torrent::build("disk.chunks", chunks, created);
    REQUIRE_FALSE(built);
    CHECK(built.error().fault == Fault::torrent_size);
  }
}

TEST_CASE("the same artefact gives the same torrent file, however its bytes are cut", "[torrent]") {
  auto const content = content_of(300'001);
  for (auto const flavour : {Flavour::v2, Flavour::hybrid}) {
    auto const whole = build(content, flavour, "image.qcow2", content.size());
    CHECK(build(content, flavour, "image.qcow2", 1).bytes == whole.bytes);
    CHECK(build(content, flavour, "image.qcow2", 16384).bytes == whole.bytes);
  }
}

TEST_CASE("trackers and web seeds for ordinary clients stand in the file and leave the info-hash as it is",
          "[torrent]") {
  Builder builder{piece, Flavour::hybrid};
  builder.update(std::as_bytes(std::span{std::string_view{"content"}}));
  auto const built = builder.finish("image.raw", created,
                                    {{"http://a.example.org/announce", "udp://b.example.org:6969"},
                                     {"https://a.example.org/images/", "https://b.example.org/images/"}});
  REQUIRE(built);
  CHECK(built->info_hash_v2 == build("content", Flavour::hybrid, "image.raw").info_hash_v2);
  auto const loaded = lt::load_torrent_buffer(built->bytes);
  CHECK(loaded.trackers == std::vector<std::string>{"http://a.example.org/announce", "udp://b.example.org:6969"});
  CHECK(loaded.tracker_tiers == std::vector<int>{0, 1});
  CHECK(loaded.url_seeds == std::vector<std::string>{"https://a.example.org/images/", "https://b.example.org/images/"});
  document::Torrent promised;
  promised.file_sha256 = digest_of<Sha256>(built->bytes);
  promised.file_size = ByteCount{built->bytes.size()};
  promised.info_hash_v2 = built->info_hash_v2;
  promised.info_hash_v1 = built->info_hash_v1;
  promised.piece_length = piece;
  promised.content_name = "image.raw";
  promised.content_size = ByteCount{7};
  CHECK(torrent::admit(built->bytes, promised));
}

TEST_CASE("an empty artefact cannot become a torrent", "[torrent]") {
  Builder builder{piece, Flavour::v2};
  auto const built = builder.finish("image.raw", created);
  REQUIRE_FALSE(built);
  CHECK(built.error().fault == Fault::torrent_size);
}

TEST_CASE("the piece length gives 1000 to 2000 pieces within its limits", "[torrent]") {
  CHECK(torrent::piece_length_for(1_MiB) == 16_KiB);
  CHECK(torrent::piece_length_for({16384 * 2000}) == 16_KiB);
  CHECK(torrent::piece_length_for({16384 * 2000 + 1}) == 32_KiB);
  CHECK(torrent::piece_length_for(1_GiB) == 1_MiB);
  CHECK(torrent::piece_length_for({1ull << 50}) == 16_MiB);
}
