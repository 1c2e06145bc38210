#pragma once

#include <stop_token>
#include <string_view>

#include "common/base/digest.hpp"
#include "common/openstack/glance.hpp"

// Images that are read out of a Glance, to become an endorser's image or to be copied into another Glance.

namespace imageswarm::openstack {

/// The image that a person means, with data to read: by its ID, or by its name if one image of our own project has it.
/// Faults: usage (several have the name; they are listed), glance-not-found, glance-conflict (not active, or without
/// data of its own), those of Glance.
[[nodiscard]] Result<GlanceImage> find_source(Glance& glance, std::string_view id_or_name, std::stop_token const& stop);

/// What was downloaded.
struct Data {
  ByteCount size;
  Sha256 sha256;
  Sha512 sha512;
  bool operator==(Data const&) const = default;
};

/// Has the record this data, by its size and Glance's own hash? Faults: hash-mismatch, glance-wrong-data (a hash that
/// is none of ours).
[[nodiscard]] Result<> compare(GlanceImage const& record, Data const& data);

/// Was its data hashed by Glance? Images that Nova makes inside of the storage are not.
bool has_hash(GlanceImage const& record);

/// Streams the image's data into `sink`, then compares it with the record. Faults: those of `compare`, of `sink` and
/// of Glance; too-large.
[[nodiscard]] Result<Data> download(Glance& glance, GlanceImage const& record, http::BodySink const& sink,
                                    std::stop_token const& stop);

/// Does a property say something of the place where the image was found, and nothing of the image? The instance that a
/// snapshot was made of, Glance's own notes, a signature whose certificate lies in that cloud.
bool is_of_its_place(std::string_view property);

}  // namespace imageswarm::openstack
