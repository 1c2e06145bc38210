#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/base/units.hpp"
#include "common/http/client.hpp"
#include "common/openstack/cloud.hpp"

namespace imageswarm::openstack {

/// An image as Glance shows it (Image API v2).
struct GlanceImage {
  std::string id;
  std::string name;
  std::string status;  ///< queued, saving, active, deactivated, …
  std::string visibility;
  bool hidden = false;
  bool is_protected = false;
  std::string disk_format, container_format;
  std::optional<ByteCount> size;
  std::string hash_algorithm, hash_value;  ///< os_hash_algo, os_hash_value; empty until active
  std::uint32_t min_disk_gib = 0;
  std::uint32_t min_ram_mib = 0;
  std::string owner;
  TimePoint created, updated;
  TimePoint
      seen;  ///< when Glance said all this, by its own clock: `seen - updated` is an age that both hosts see alike
  std::vector<std::string> tags;
  std::vector<std::string> stores;                ///< IDs of those that have its data; empty where Glance has but one
  std::map<std::string, std::string> properties;  ///< everything else that is a string
};

/// What a new record shall be; always made hidden and private.
struct NewImage {
  std::string id;
  std::string name;
  std::string disk_format, container_format;
  std::uint32_t min_disk_gib = 0;
  std::uint32_t min_ram_mib = 0;
  std::vector<std::string> tags;
  std::map<std::string, std::string> properties;
};

/// Of a property that shall not be there any more.
struct Gone {
  bool operator==(Gone const&) const = default;
};

/// Names and new values; an image's own fields and properties alike.
using Changes =
    std::vector<std::pair<std::string, std::variant<std::string, bool, std::uint32_t, std::vector<std::string>, Gone>>>;

/// How long an upload may take before it is given up: 1 MB/s, and at least ten minutes.
std::chrono::seconds upload_deadline(ByteCount size);

/// Glance behind Keystone: asks for a token when it needs one, once more after a 401. Thread-safe.
///
/// Faults of all calls: keystone-…, glance-…, http-…, cancelled. What Glance said is in the text; no token or password
/// is.
class Glance {
public:
  explicit Glance(Cloud cloud);
  ~Glance();

  /// 409 comes back as glance-conflict: the ID is taken, or was once.
  [[nodiscard]] Result<GlanceImage> create(NewImage const& image, std::stop_token const& stop);
  /// glance-not-found if there is none that we may see.
  [[nodiscard]] Result<GlanceImage> show(std::string_view id, std::stop_token const& stop);
  /// All images of our own project, hidden ones too, that carry this property; follows every page. Another project may
  /// show us images with our properties, which must neither stand for ours nor stand in their way.
  [[nodiscard]] Result<std::vector<GlanceImage>> find(std::string_view property, std::string_view value,
                                                      std::stop_token const& stop);
  /// PUT …/file, within `upload_deadline`; into this store, or where empty into Glance's own choice. Faults:
  /// glance-conflict (somebody else uploads), glance-gone, glance-quota, those of `source`.
  [[nodiscard]] Result<> upload(std::string_view id, ByteCount size, std::string const& store, http::BodySource source,
                                std::stop_token const& stop);
  /// Has Glance copy the data of an active image into further stores, all or none; comes back as soon as it has begun.
  /// Fault glance-conflict: it is at it already, or there is no such store.
  [[nodiscard]] Result<> copy_to_stores(std::string_view id, std::vector<std::string> const& stores,
                                        std::stop_token const& stop);
  /// Sets all of it in one JSON patch, as concurrent ones lose updates.
  [[nodiscard]] Result<GlanceImage> patch(std::string_view id, Changes const& changes, std::stop_token const& stop);
  /// IDs of the projects that an image is shared with.
  [[nodiscard]] Result<std::vector<std::string>> members(std::string_view id, std::stop_token const& stop);
  /// glance-conflict: it is shared with this project already.
  [[nodiscard]] Result<> add_member(std::string_view id, std::string_view project, std::stop_token const& stop);
  [[nodiscard]] Result<> remove_member(std::string_view id, std::string_view project, std::stop_token const& stop);
  [[nodiscard]] Result<> deactivate(std::string_view id, std::stop_token const& stop);
  [[nodiscard]] Result<> reactivate(std::string_view id, std::stop_token const& stop);
  [[nodiscard]] Result<> remove(std::string_view id, std::stop_token const& stop);
  /// GET …/file into `sink`, for tests and copies.
  [[nodiscard]] Result<> download(std::string_view id, http::BodySink sink, std::stop_token const& stop);
  /// ID of the project that our token is for.
  [[nodiscard]] Result<std::string> project(std::stop_token const& stop);

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imageswarm::openstack
