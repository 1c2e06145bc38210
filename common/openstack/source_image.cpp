#include "common/openstack/source_image.hpp"

#include <algorithm>
#include <array>

#include "common/base/text.hpp"
#include "common/base/uuid.hpp"

namespace imageswarm::openstack {
namespace {

Result<GlanceImage> find_by_name(Glance& glance, std::string_view name, std::stop_token const& stop) {
  auto found = glance.find("name", name, stop);
  if (!found) return fail(std::move(found.error()));
  if (found->empty()) {
    return fail(Fault::glance_not_found,
                "this project has no image called '{}'; one of another project is named by its ID", printable(name));
  }
  if (found->size() == 1) return std::move(found->front());
  std::vector<std::string> ids;
  for (auto const& image : *found) {
    ids.push_back(fmt::format("{} ({}, made {})", image.id, printable(image.status), format_time(image.created)));
  }
  return fail(Fault::usage, "{} images are called '{}'; name one by its ID: {}", ids.size(), printable(name),
              join(ids, ", "));
}

/// What Nova writes on the snapshots that it makes of an instance, and Glance on images that are on their way.
constexpr std::array names_of_place{"base_image_ref",
                                    "bdm_v2",
                                    "block_device_mapping",
                                    "boot_roles",
                                    "clean_attempts",
                                    "image_location",
                                    "image_state",
                                    "image_type",
                                    "imageswarm_uploader",
                                    "instance_uuid",
                                    "mappings",
                                    "root_device_name",
                                    "user_id",
                                    "imageswarm_retired"};
constexpr std::array prefixes_of_place{"os_glance_", "img_signature", "owner"};

}  // namespace

Result<GlanceImage> find_source(Glance& glance, std::string_view id_or_name, std::stop_token const& stop) {
  auto record =
      Uuid::parse(id_or_name) ? glance.show(lower_case(id_or_name), stop) : find_by_name(glance, id_or_name, stop);
  if (!record) return record;
  if (record->status != "active") {
    return fail(Fault::glance_conflict, "image {} is {}; only an active one can be read", record->id,
                printable(record->status));
  }
  if (record->size.value_or(ByteCount{}) == ByteCount{}) {
    return fail(Fault::glance_conflict,
                "image {} has no data of its own, as a snapshot of an instance that boots from a volume", record->id);
  }
  return record;
}

bool has_hash(GlanceImage const& record) {
  return !record.hash_value.empty();
}

Result<> compare(GlanceImage const& record, Data const& data) {
  if (record.size && *record.size != data.size) {
    return fail(Fault::hash_mismatch, "image {} has {} bytes, and Glance says {}", record.id, data.size.value,
                record.size->value);
  }
  if (!has_hash(record)) return {};
  bool const is_sha512 = record.hash_algorithm == "sha512";
  if (!is_sha512 && record.hash_algorithm != "sha256") {
    return fail(Fault::glance_wrong_data, "Glance hashes image {} with {}; set hashing_algorithm to sha512", record.id,
                printable(record.hash_algorithm));
  }
  if (record.hash_value == (is_sha512 ? data.sha512.hex() : data.sha256.hex())) return {};
  return fail(Fault::hash_mismatch, "the data of image {} has another {} than Glance says", record.id,
              record.hash_algorithm);
}

Result<Data> download(Glance& glance, GlanceImage const& record, http::BodySink const& sink,
                      std::stop_token const& stop) {
  Data data;
  Hasher<Sha256> sha256;
  Hasher<Sha512> sha512;
  auto const take = [&](std::span<std::byte const> bytes) -> Result<> {
    data.size += {bytes.size()};
    if (record.size && data.size > *record.size) {
      return fail(Fault::too_large, "image {} goes on after the {} bytes that Glance says", record.id,
                  record.size->value);
    }
    sha256.update(bytes);
    sha512.update(bytes);
    return sink(bytes);
  };
  if (auto done = glance.download(record.id, take, stop); !done) return fail(std::move(done.error()));
  data.sha256 = sha256.finish();
  data.sha512 = sha512.finish();
  if (auto good = compare(record, data); !good) return fail(std::move(good.error()));
  return data;
}

bool is_of_its_place(std::string_view property) {
  return std::ranges::find(names_of_place, property) != names_of_place.end() ||
         std::ranges::any_of(prefixes_of_place, [&](auto prefix) { return property.starts_with(prefix); });
}

}  // namespace imageswarm::openstack
