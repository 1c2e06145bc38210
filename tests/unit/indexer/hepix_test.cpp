#include "indexer/exchange/hepix.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace imageswarm::exchange {
namespace {

using Catch::Matchers::Contains;
using nlohmann::json;

auto const now = *parse_time("2026-01-20T00:00:00Z");
auto const digest = digest_of<Sha512>("content").hex();

trust::Signer ada() {
  return {*trust::DistinguishedName::parse("/DC=org/DC=example/OU=Images/CN=Ada Endorser"),
          *trust::DistinguishedName::parse("/DC=org/DC=example/CN=Example CA"), now};
}

json sample() {
  auto list = json::parse(R"({
  "hv:imagelist": {
    "dc:identifier": "2b9c6e62-4b0d-4a36-8b4c-0e6a2f7b1d10",
    "dc:title": "Example list",
    "dc:description": "Two lines of text",
    "dc:source": "images.example.org",
    "dc:date:created": "2026-01-10T08:00:00Z",
    "dc:date:expires": "2026-02-07T08:00:00Z",
    "hv:version": "2026.1.3",
    "hv:uri": "https://images.example.org/list.smime",
    "hv:endorser": { "hv:x509": {
      "dc:creator": "Ada Endorser",
      "hv:dn": "/DC=org/DC=example/OU=Images/CN=Ada Endorser",
      "hv:ca": "/DC=org/DC=example/CN=Example CA",
      "hv:email": "ada@example.org" } },
    "hv:images": [ { "hv:image": {
      "dc:identifier": "7c0f2f9e-5a3b-4d0e-9a52-3b1d1c6e8f01",
      "dc:title": "worker", "dc:description": "batch worker",
      "hv:uri": "https://images.example.org/worker-42.qcow2",
      "hv:version": "42", "hv:size": 19, "hv:format": "qcow2",
      "hv:hypervisor": "kvm", "sl:arch": "x86_64",
      "sl:os": "Linux", "sl:osname": "AlmaLinux", "sl:osversion": "9.5",
      "sl:comments": ""
    } } ]
  }
})");
  list["hv:imagelist"]["hv:images"][0]["hv:image"]["sl:checksum:sha512"] = digest;
  return list;
}

json& fields(json& list) {
  return list["hv:imagelist"];
}
json& first_image(json& list) {
  return fields(list)["hv:images"][0]["hv:image"];
}

Result<ForeignList> parsed(json const& list) {
  return parse_hepix(list.dump(), ada(), now);
}

void check_refused(json const& list, Fault fault) {
  auto const result = parsed(list);
  REQUIRE_FALSE(result);
  CAPTURE(result.error().line());
  CHECK(word(result.error().fault) == word(fault));
}

/// The reason for which the only image is skipped.
std::string skipped(json const& list) {
  auto const result = parsed(list);
  REQUIRE(result);
  REQUIRE(result->images.empty());
  REQUIRE(result->skipped.size() == 1);
  return result->skipped.front();
}

TEST_CASE("a HEPiX list is read in our words") {
  auto const list = parsed(sample());
  if (!list) FAIL(list.error().line());
  CHECK(list->id == "2b9c6e62-4b0d-4a36-8b4c-0e6a2f7b1d10");
  CHECK(list->title == "Example list");
  CHECK(list->home == "https://images.example.org/list.smime");
  CHECK(list->version.text == "2026.1.3");
  CHECK(list->signer == ada().text());
  CHECK(list->warnings.empty());
  CHECK(list->skipped.empty());
  REQUIRE(list->images.size() == 1);
  auto const& image = list->images.front();
  CHECK(image.family.text() == "7c0f2f9e-5a3b-4d0e-9a52-3b1d1c6e8f01");
  CHECK(image.name == "worker");
  CHECK(image.version.text == "42");
  CHECK(image.url == "https://images.example.org/worker-42.qcow2");
  CHECK(image.file == "worker-42.qcow2");
  CHECK(image.size == ByteCount{19});
  CHECK(image.sha512->hex() == digest);
  CHECK(image.disk_format == "qcow2");
  using Entry = decltype(image.entry);
  CHECK(image.entry == Entry{{"description", {"batch worker"}},
                             {"hypervisor", {"kvm"}},
                             {"architecture", {"x86_64"}},
                             {"os-distro", {"almalinux"}},
                             {"os-version", {"9.5"}},
                             {"local-endorser", {"Ada Endorser"}}});
}

TEST_CASE("what publishers write differently is read alike") {
  auto list = sample();
  fields(list)["ad:vo"] = "atlas, cms";
  fields(list)["x:unknown"] = {{"any", 1}};
  first_image(list)["hv:size"] = "19";
  first_image(list)["hv:format"] = "QCOW2";
  first_image(list)["hv:hypervisor"] = "KVM";
  first_image(list)["sl:arch"] = "AMD64";
  first_image(list)["sl:checksum:sha512"] = [] {
    auto upper = digest;
    for (auto& c : upper) c = static_cast<char>(std::toupper(c));
    return upper;
  }();
  first_image(list)["hv:ram_minimum"] = 512;
  first_image(list)["dc:date:expires"] = "2026-06-01T00:00:00Z";
  first_image(list)["ad:mpuri"] = "https://appdb.example.org/7c0f:42/";
  first_image(list)["dc:description"] = "Two\r\nlines";
  auto const read = parsed(list);
  REQUIRE(read);
  REQUIRE(read->images.size() == 1);
  auto const& image = read->images.front();
  CHECK(image.size == ByteCount{19});
  CHECK(image.disk_format == "qcow2");
  CHECK(image.sha512->hex() == digest);
  CHECK(image.entry.at("hypervisor").front() == "kvm");
  CHECK(image.entry.at("architecture").front() == "x86_64");
  CHECK(image.entry.at("min-ram").front() == "512");
  CHECK(image.entry.at("expires").front() == "2026-06-01T00:00:00Z");
  CHECK(image.entry.at("description").front() == "Two  lines");
  CHECK(image.entry.at("vo-tags") == std::vector<std::string>{"atlas", "cms"});
}

TEST_CASE("a minimum of memory that is no number is no reason to skip an image") {
  auto list = sample();
  first_image(list)["hv:ram_minimum"] = "512 MB";
  auto const read = parsed(list);
  REQUIRE(read);
  REQUIRE(read->images.size() == 1);
  CHECK_FALSE(read->images.front().entry.contains("min-ram"));
}

TEST_CASE("the fields that only some consumers need may be absent") {
  auto list = sample();
  for (auto const* key : {"dc:title", "hv:size", "hv:version", "hv:format", "sl:arch", "sl:osname", "hv:hypervisor"}) {
    first_image(list).erase(key);
  }
  auto const read = parsed(list);
  REQUIRE(read);
  REQUIRE(read->images.size() == 1);
  CHECK(read->images.front().name == "7c0f2f9e-5a3b-4d0e-9a52-3b1d1c6e8f01");
  CHECK(read->images.front().version.text == "2026.1.3");
  CHECK_FALSE(read->images.front().size);
  CHECK(read->images.front().disk_format.empty());
}

TEST_CASE("a list of long ago without a root is read with a warning") {
  auto list = sample();
  auto const read = parsed(fields(list));
  REQUIRE(read);
  CHECK(read->images.size() == 1);
  CHECK(read->warnings.size() == 1);
}

TEST_CASE("an image that lacks what is needed is skipped, the rest is kept") {
  auto const key = GENERATE(as<std::string>{}, "dc:identifier", "hv:uri", "sl:checksum:sha512");
  auto list = sample();
  fields(list)["hv:images"].push_back(fields(list)["hv:images"][0]);
  first_image(list).erase(key);
  auto const read = parsed(list);
  REQUIRE(read);
  CHECK(read->images.size() == 1);
  REQUIRE(read->skipped.size() == 1);
  CHECK_THAT(read->skipped.front(), Contains("image 1 ") && Contains(key));
}

TEST_CASE("an image with a field that cannot be is skipped") {
  struct Row {
    char const* key;
    json value;
  };
  auto const row = GENERATE(values<Row>({{"dc:identifier", "17"},
                                         {"hv:size", -1},
                                         {"hv:size", 0},
                                         {"hv:size", 1.5},
                                         {"hv:size", "2.10 GB"},
                                         {"hv:size", 1e300},
                                         {"hv:size", "18446744073709551616"},
                                         {"hv:version", "latest"},
                                         {"hv:uri", json::array()},
                                         {"dc:title", json::object()},
                                         {"sl:checksum:sha512", "0123"}}));
  auto list = sample();
  first_image(list)[row.key] = row.value;
  INFO(row.key << " " << row.value);
  CHECK_THAT(skipped(list), Contains(row.key));
  fields(list)["hv:images"] = json::array({7});
  CHECK_THAT(skipped(list), Contains("image 1 "));
}

TEST_CASE("an empty list is a list") {
  auto list = sample();
  fields(list)["hv:images"] = json::array();
  auto const read = parsed(list);
  REQUIRE(read);
  CHECK(read->images.empty());
}

TEST_CASE("what is no image list is not read as one") {
  CHECK(parse_hepix("[]", ada(), now).error().fault == Fault::import_format);
  CHECK(parse_hepix("{\"hv:imagelist\": []}", ada(), now).error().fault == Fault::import_format);
  auto list = sample();
  fields(list)["hv:images"] = "none";
  check_refused(list, Fault::import_format);
  fields(list)["hv:images"] = json(std::vector<json>(10'001));
  check_refused(list, Fault::too_large);
}

TEST_CASE("a list must say what it is and for how long") {
  for (auto const* key : {"dc:identifier", "dc:date:created", "dc:date:expires", "hv:version", "hv:endorser"}) {
    auto list = sample();
    fields(list).erase(key);
    INFO(key);
    check_refused(list, Fault::import_field);
  }
  auto list = sample();
  fields(list)["dc:date:expires"] = "2026-02-07 08:00:00";
  check_refused(list, Fault::import_field);
}

TEST_CASE("the endorser and the CA that a list names are those of its signature") {
  struct Row {
    char const* key;
    char const* name;
  };
  auto const row = GENERATE(values<Row>({{"hv:dn", "/DC=org/DC=example/OU=Images/CN=Bob Endorser"},
                                         {"hv:dn", "/DC=org/DC=example/OU=Images/CN=Ada Endorser/CN=proxy"},
                                         {"hv:dn", "CN=Ada Endorser,OU=Images,DC=example,DC=org"},
                                         {"hv:ca", "/DC=org/DC=example/CN=Other CA"}}));
  auto list = sample();
  fields(list)["hv:endorser"]["hv:x509"][row.key] = row.name;
  check_refused(list, Fault::signer_not_listed);
}

TEST_CASE("a list holds from its creation to its end") {
  auto list = sample();
  fields(list)["dc:date:created"] = "2026-01-20T00:05:00Z";
  CHECK(parsed(list));
  fields(list)["dc:date:created"] = "2026-01-20T00:05:01Z";
  check_refused(list, Fault::doc_future);
  list = sample();
  fields(list)["dc:date:expires"] = "2026-01-20T00:00:00Z";
  CHECK(parsed(list));
  fields(list)["dc:date:expires"] = "2026-01-19T23:59:59Z";
  check_refused(list, Fault::doc_expired);
}

}  // namespace
}  // namespace imageswarm::exchange
