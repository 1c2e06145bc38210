#include <catch2/catch.hpp>
#include <functional>
#include <string>

#include "common/document/model.hpp"
#include "tests/support/sample_image.hpp"

namespace imageswarm::document {
namespace {

/// Every member set to something that is not its default.
Image full_image() {
  auto image = test::sample_image();
  image.description = "first line\nsecond: line # no comment";
  image.vo_tags = {"atlas", "- cms"};
  image.expires = *parse_time("2027-01-02T03:04:05Z");
  image.local_endorser = "Ada Endorser";
  image.shareable = true;
  image.volume_name = "debian";
  image.volume_size = 30_GiB;
  image.clusters = {"lxcloud"};
  image.subclusters = {"kvm"};
  image.hosts = {"hv*.example.org", "*"};
  image.container_format = "ova";
  image.torrent.info_hash_v1 = digest_of<Sha1>("info");
  image.torrent.ssl = true;
  image.torrent.content_name = image.image_id.text();
  image.torrent.compression = Compression::zstd;
  image.glance_properties = {{"hw_disk_bus", "scsi"}, {"os_type", "linux"}};
  image.glance_tags = {"base"};
  image.min_disk_gib = 0;
  image.min_ram_mib = 512;
  image.visibility = "community";
  image.ovf_properties = {{"user-data", ""}};
  image.extra = {{"new-key", {yaml::Value::List{{"x"}}}}};
  return image;
}

/// The entry with one key set to `value`, or taken out.
yaml::Value changed(std::string_view key, std::optional<yaml::Value> value) {
  auto entry = to_value(full_image());
  auto& map = std::get<yaml::Value::Map>(entry.node);
  std::erase_if(map, [&](auto const& member) { return member.key == key; });
  if (value) map.push_back({std::string{key}, *value});
  return entry;
}

TEST_CASE("an image goes through its written form unchanged") {
  auto const text = yaml::write(to_value(full_image()));
  auto const read = image_from(yaml::parse(text).value());
  REQUIRE(read);
  CHECK(yaml::write(to_value(*read)) == text);
  CHECK(read->description == full_image().description);
  CHECK(read->torrent.info_hash_v1 == full_image().torrent.info_hash_v1);
  CHECK(read->torrent.compression == Compression::zstd);
  CHECK(read->min_disk_gib == 0u);
  CHECK(read->glance_properties == full_image().glance_properties);
  CHECK(read->ovf_properties == full_image().ovf_properties);
  REQUIRE(read->extra.size() == 1);
  CHECK(read->extra.front().key == "new-key");
}

TEST_CASE("keys that are left out have their defaults") {
  auto const read = image_from(to_value(test::sample_image()));
  REQUIRE(read);
  CHECK(read->container_format == "bare");
  CHECK_FALSE(read->torrent.chunks);
  CHECK(read->torrent.compression == Compression::none);
  CHECK_FALSE(read->torrent.ssl);
  CHECK_FALSE(read->shareable);
  CHECK(read->hosts.empty());
  CHECK_FALSE(read->volume_size);
  CHECK(read->visibility.empty());
}

TEST_CASE("a key that is missing is named") {
  for (auto key : {"uuid", "name", "image-version", "image-id", "produced", "disk-format", "torrent-name",
                   "torrent-file-sha256", "torrent-file-size", "torrent-info-hash-v2", "torrent-creation-time",
                   "download-url", "torrent-piece-length", "torrent-content-name", "torrent-content-size",
                   "torrent-content-sha256", "content-size", "content-sha256", "content-sha512"}) {
    auto const read = image_from(changed(key, std::nullopt));
    INFO(key);
    REQUIRE_FALSE(read);
    CHECK(read.error().fault == Fault::doc_field);
    CHECK(read.error().what == fmt::format("{}: it is missing", key));
  }
}

TEST_CASE("a value of the wrong form is refused and its key is named") {
  struct Wrong {
    std::string_view key, value;
  };
  auto const wrong = GENERATE(values<Wrong>({
      {"uuid", "HOST_NAME_HASH"},
      {"name", "../../etc/passwd"},
      {"image-version", "v1"},
      {"image-id", "11111111-2222-3333-4444-555555555555"},
      {"produced", "2026-02-30T00:00:00Z"},
      {"expires", "Sat, 10 Jan 2026 08:00:00 +0000"},
      {"shareable", "yes"},
      {"vo-tags", "atlas"},
      {"local-endorser", "two\nlines"},
      {"volume-name", "a/b"},
      {"volume-size", "30GB"},
      {"distribution-hosts", "hv001"},
      {"disk-format", "exe"},
      {"container-format", "tar"},
      {"torrent-name", "a b.torrent"},
      {"torrent-file-sha256", "ABCD"},
      {"torrent-file-size", "0"},
      {"torrent-file-size", "-1"},
      {"torrent-file-size", "1e3"},
      {"torrent-info-hash-v1", "00"},
      {"download-url", "file:///etc/passwd"},
      {"torrent-piece-length", "8192"},
      {"torrent-piece-length", "33554432"},
      {"torrent-piece-length", "1000000"},
      {"torrent-layout", "directory"},
      {"torrent-content-name", ".."},
      {"torrent-content-size", "9007199254740992"},
      {"torrent-content-compressed", "Y"},
      {"content-size", "010"},
      {"content-sha512", ""},
      {"glance-properties", "a=b"},
      {"min-disk", "4294967296"},
      {"visibility", "everybody"},
  }));
  INFO(wrong.key << " = " << wrong.value);
  auto const read = image_from(changed(wrong.key, yaml::Value{std::string{wrong.value}, 7}));
  REQUIRE_FALSE(read);
  CHECK(read.error().fault == Fault::doc_field);
  CHECK_THAT(read.error().what, Catch::Contains(std::string{wrong.key} + ": "));
}

TEST_CASE("an artefact of a private swarm is called by the image ID, so that no name is the beginning of another") {
  auto image = test::sample_image();
  image.torrent.ssl = true;
  auto const read = image_from(to_value(image));
  REQUIRE_FALSE(read);
  CHECK(read.error().fault == Fault::doc_field);
  CHECK_THAT(read.error().what, Catch::Contains("torrent-content-name: with torrent-ssl it is the image ID"));
  image.torrent.content_name = image.image_id.text();
  CHECK(image_from(to_value(image)));
}

TEST_CASE("an image ID that the content does not give is refused with the one that it gives") {
  auto image = test::sample_image();
  auto const right = image.image_id;
  image.image_id = Uuid::random();
  auto const read = image_from(to_value(image));
  REQUIRE_FALSE(read);
  CHECK(read.error().fault == Fault::doc_field);
  CHECK_THAT(read.error().what, Catch::Contains("image-id: ") && Catch::Contains(right.text()));
}

TEST_CASE("image IDs are UUIDv5 of the family and the digest in hex") {
  // python3: uuid.uuid5(uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), hashlib.sha256(b"").hexdigest())
  CHECK(image_id_of(*Uuid::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), digest_of<Sha256>("")).text() ==
        "ee586207-a68c-505a-8dfb-1dc50feb38b8");
}

TEST_CASE("chunks are counted, and written as they were read") {
  auto image = test::sample_image();
  image.content_size = {3 * (4_MiB).value + 1};
  image.torrent.compression = Compression::zstd;
  image.torrent.chunks = Chunks{4_MiB, 4};
  auto const read = image_from(to_value(image));
  REQUIRE(read);
  CHECK(read->torrent.chunks == image.torrent.chunks);
  CHECK(chunk_name(0) == "000000.zst");
  CHECK(chunk_name(65535) == "065535.zst");
}

TEST_CASE("chunks that no host could use are refused with the word of the torrent's layout") {
  struct Wrong {
    std::string_view says;
    std::function<void(Image&)> spoil;
  };
  auto const wrong = GENERATE(values<Wrong>({
      {"need a chunk-size", [](Image& i) { i.torrent.chunks->size = {0}; }},
      {"not a power of two", [](Image& i) { i.torrent.chunks->size = {65537}; }},
      {"not a power of two", [](Image& i) { i.torrent.chunks->size = 32_KiB; }},
      {"not a power of two", [](Image& i) { i.torrent.chunks->size = 16_MiB; }},
      {"one chunk alone", [](Image& i) { i.content_size = 4_MiB; }},
      {"more than 65536 chunks", [](Image& i) { i.content_size = {65536 * (4_MiB).value + 1}; }},
      {"compressed with zstd", [](Image& i) { i.torrent.compression = Compression::none; }},
      {"no torrent-info-hash-v1", [](Image& i) { i.torrent.info_hash_v1.emplace(); }},
  }));
  auto image = test::sample_image();
  image.torrent.compression = Compression::zstd;
  image.torrent.info_hash_v1.reset();
  image.content_size = 5_MiB;
  image.torrent.chunks = Chunks{4_MiB, 2};
  wrong.spoil(image);
  auto value = to_value(image);
  if (wrong.says == "need a chunk-size") {
    std::erase_if(std::get<yaml::Value::Map>(value.node),
                  [](auto const& member) { return member.key == "chunk-size"; });
  }
  auto const read = image_from(value);
  REQUIRE_FALSE(read);
  CHECK(read.error().fault == Fault::torrent_layout);
  CHECK_THAT(read.error().what, Catch::Contains(std::string{wrong.says}));
}

TEST_CASE("a chunk size without chunks is refused") {
  auto const read = image_from(changed("chunk-size", yaml::Value{std::string{"4194304"}}));
  REQUIRE_FALSE(read);
  CHECK(read.error().fault == Fault::torrent_layout);
}

TEST_CASE("a catalogue cannot set properties that carry trust or ownership, nor Glance's own attributes") {
  for (auto name : {"imageswarm_image_id", "os_glance_importing_to_stores", "img_signature",
                    "img_signature_hash_method", "owner", "owner_specified.openstack.md5", "OWNER", "Imageswarm_x",
                    "protected", "visibility", "id", "os_hidden", "min_disk", "", "a\nb"}) {
    auto const read = image_from(changed("glance-properties", yaml::Value{yaml::Value::Map{{name, {"x"}}}}));
    INFO(name);
    REQUIRE_FALSE(read);
    CHECK(read.error().fault == Fault::doc_field);
    CHECK_THAT(read.error().what, Catch::Contains("glance-properties: "));
  }
  auto const named = image_from(changed("glance-properties", yaml::Value{yaml::Value::Map{{"owner", {"x"}}}}));
  CHECK_THAT(named.error().what, Catch::Contains("owner: this property may not be set"));
}

}  // namespace
}  // namespace imageswarm::document
