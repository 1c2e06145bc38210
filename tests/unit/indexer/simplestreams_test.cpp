#include "indexer/exchange/simplestreams.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace imageswarm::exchange {
namespace {

using Catch::Matchers::Contains;
using nlohmann::json;

constexpr auto digest = "4656623979399588931b1c0df185d9331a254cca45ca18bc5926685dd6fbf6c7";

json item(std::string const& ftype) {
  return {{"ftype", ftype}, {"size", 19}, {"path", "worker/" + ftype}, {"sha256", digest}};
}

json sample() {
  return {{"format", "products:1.0"},
          {"content_id", "org.example.cloud:released:download"},
          {"datatype", "image-downloads"},
          {"updated", "Sat, 10 Jan 2026 08:00:00 +0000"},
          {"products",
           {{"org.example:worker:9:amd64",
             {{"os", "almalinux"},
              {"version", "9"},
              {"release", "nine"},
              {"arch", "amd64"},
              {"versions",
               {{"20260110", {{"pubname", "worker-9-20260110"}, {"items", {{"disk1.img", item("disk1.img")}}}}}}}}}}}};
}

json& product(json& list) {
  return list["products"]["org.example:worker:9:amd64"];
}
json& version(json& list) {
  return product(list)["versions"]["20260110"];
}
json& disk(json& list) {
  return version(list)["items"]["disk1.img"];
}

ForeignList parsed(json const& list, StreamFilter const& filter = {}) {
  auto result = parse_products(list.dump(), "https://mirror.example.org/", filter);
  if (!result) FAIL(result.error().line());
  return std::move(*result);
}

TEST_CASE("products are read in our words, with what items inherit") {
  auto const list = parsed(sample());
  CHECK(list.id == "org.example.cloud:released:download");
  CHECK(list.version.text == "1768032000");
  REQUIRE(list.images.size() == 1);
  auto const& image = list.images.front();
  CHECK(image.family == Uuid::named(*Uuid::parse("5a1b0c34-6f1d-4f0e-9c57-3f6a0d0a7c11"),
                                    "org.example.cloud:released:download org.example:worker:9:amd64"));
  CHECK(image.name == "worker-9");
  CHECK(image.version.text == "20260110");
  CHECK(image.url == "https://mirror.example.org/worker/disk1.img");
  CHECK(image.file == "worker/disk1.img");
  CHECK(image.size == ByteCount{19});
  CHECK(image.sha256->hex() == digest);
  CHECK_FALSE(image.sha512);
  CHECK(image.entry.at("os-distro").front() == "almalinux");
  CHECK(image.entry.at("os-version").front() == "9");
  CHECK(image.entry.at("architecture").front() == "x86_64");
  CHECK(image.entry.at("glance-properties").size() == 4);
}

TEST_CASE("an item's own attribute goes before what it would inherit") {
  auto list = sample();
  disk(list)["arch"] = "arm64";
  version(list)["arch"] = "ppc64el";
  CHECK(parsed(list).images.front().entry.at("architecture").front() == "aarch64");
  disk(list).erase("arch");
  CHECK(parsed(list).images.front().entry.at("architecture").front() == "ppc64le");
  list["sha256"] = digest;
  disk(list).erase("sha256");
  CHECK(parsed(list).images.size() == 1);
}

TEST_CASE("of a version the best disk image is taken, and nothing else") {
  auto list = sample();
  auto& items = version(list)["items"];
  items = {{"root.tar.xz", item("root.tar.xz")}, {"vmdk", item("vmdk")}};
  CHECK(parsed(list).images.empty());
  for (auto const* ftype : {"uefi1.img", "disk-kvm.img", "disk.img", "disk1.img"}) {
    items[ftype] = item(ftype);
    INFO(ftype);
    CHECK(parsed(list).images.front().file == "worker/" + std::string{ftype});
  }
}

TEST_CASE("the newest versions by byte order are taken") {
  auto list = sample();
  for (auto const* name : {"20260109", "20260110.1", "20260110.2", "20251231"}) {
    product(list)["versions"][name] = version(list);
  }
  product(list)["versions"]["20260111"] = {{"items", {{"root.tar.xz", item("root.tar.xz")}}}};
  auto const versions = [&](std::size_t newest) {
    StreamFilter filter;
    filter.newest = newest;
    std::vector<std::string> names;
    for (auto const& image : parsed(list, filter).images) names.push_back(image.version.text);
    return names;
  };
  CHECK(versions(1) == std::vector<std::string>{"20260110.2"});
  CHECK(versions(3) == std::vector<std::string>{"20260110.2", "20260110.1", "20260110"});
  CHECK(versions(99).size() == 5);
}

TEST_CASE("a filter leaves what all of its words fit") {
  auto const count = [](StreamFilter const& filter) { return parsed(sample(), filter).images.size(); };
  CHECK(count({.product = "org.example:*:amd64"}) == 1);
  CHECK(count({.product = "org.example:*:arm64"}) == 0);
  CHECK(count({.architecture = "amd64"}) == 1);
  CHECK(count({.architecture = "x86_64"}) == 1);
  CHECK(count({.architecture = "arm64"}) == 0);
  CHECK(count({.release = "nine"}) == 1);
  CHECK(count({.release = "9"}) == 1);
  CHECK(count({.architecture = "amd64", .release = "ten"}) == 0);
}

TEST_CASE("an item that cannot be used is skipped") {
  struct Row {
    char const* key;
    json value;
  };
  auto const row = GENERATE(values<Row>({{"path", "../../etc/passwd"},
                                         {"path", "/etc/passwd"},
                                         {"path", "a//b"},
                                         {"path", "a/./b"},
                                         {"path", "https://evil.example.org/x"},
                                         {"path", "a?b"},
                                         {"path", nullptr},
                                         {"size", -1},
                                         {"size", "many"},
                                         {"sha256", nullptr},
                                         {"sha256", "0123"},
                                         {"sha512", "0123"}}));
  auto list = sample();
  disk(list)[row.key] = row.value;
  INFO(row.key << " " << row.value);
  auto const read = parsed(list);
  CHECK(read.images.empty());
  REQUIRE(read.skipped.size() == 1);
  CHECK_THAT(read.skipped.front(), Contains("org.example:worker:9:amd64 20260110"));
}

TEST_CASE("what is no products file is refused") {
  auto const fault = [](json const& list) { return parse_products(list.dump(), "", {}).error().fault; };
  auto list = sample();
  list["format"] = "products:2.0";
  CHECK(fault(list) == Fault::import_format);
  CHECK(fault(json::array()) == Fault::import_format);
  list = sample();
  list.erase("updated");
  CHECK(fault(list) == Fault::import_field);
  list = sample();
  list.erase("content_id");
  CHECK(fault(list) == Fault::import_field);
  list = sample();
  list["products"] = "none";
  CHECK(parsed(list).images.empty());
}

TEST_CASE("an index names the contents with images to download") {
  json const content{{"path", "streams/v1/org.example:released:download.sjson"},
                     {"format", "products:1.0"},
                     {"datatype", "image-downloads"}};
  auto ids = content;
  ids["datatype"] = "image-ids";
  json index{{"format", "index:1.0"},
             {"updated", "Sat, 10 Jan 2026 08:00:00 +0000"},
             {"index", {{"org.example:released:download", content}, {"org.example:ids", ids}}}};
  CHECK(is_stream_index(index.dump()));
  CHECK_FALSE(is_stream_index(sample().dump()));
  auto const read = parse_stream_index(index.dump());
  REQUIRE(read);
  CHECK(read->version.text == "1768032000");
  REQUIRE(read->contents.size() == 1);
  CHECK(read->contents.front().id == "org.example:released:download");
  CHECK(read->contents.front().path == "streams/v1/org.example:released:download.sjson");
  index["index"]["org.example:released:download"]["path"] = "../x.sjson";
  CHECK(parse_stream_index(index.dump()).error().fault == Fault::import_field);
  index["index"].clear();
  CHECK(parse_stream_index(index.dump()));
  index.erase("updated");
  CHECK(parse_stream_index(index.dump()).error().fault == Fault::import_field);
}

}  // namespace
}  // namespace imageswarm::exchange
