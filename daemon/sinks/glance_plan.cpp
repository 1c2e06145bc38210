#include "daemon/sinks/glance_plan.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "daemon/sinks/glance_record.hpp"

namespace imageswarm::sinks {
namespace {

using openstack::GlanceImage;
using Records = std::vector<GlanceImage>;

/// Which attempt a record is, from 1; 0 if none.
unsigned attempt_of(GlanceImage const& record, Uuid const& image_id) {
  for (unsigned attempt = 1; attempt <= max_attempts; ++attempt) {
    if (attempt_id(image_id, attempt).text() == record.id) return attempt;
  }
  return 0;
}

std::chrono::seconds age_of(GlanceImage const& record) {
  return record.seen - record.updated;
}

std::string_view uploader_of(GlanceImage const& record) {
  return property_of(record, property::uploader);
}

bool was_retired(GlanceImage const& record) {
  return !property_of(record, property::retired).empty();
}

bool lacked_trust(GlanceImage const& record) {
  return was_retired(record) && property_of(record, property::retired) != name_of(flow::Retirement::superseded);
}

Decision wait_for(GlanceImage const& record, std::string_view what) {
  auto const host = uploader_of(record);
  return {Action::wait, record.id,
          fmt::format("image {}: {} {}; looking again soon", record.id, host.empty() ? "another host" : printable(host),
                      what)};
}

Decision decide_complete(GlanceImage const& record, std::string_view host) {
  if (record.status == "deactivated" && !was_retired(record)) {
    return {Action::refuse, record.id,
            fmt::format("image {} was deactivated by somebody else; reactivate or delete it in Glance", record.id),
            Fault::glance_forbidden};
  }
  if (lacked_trust(record) && age_of(record) < retired_patience) {
    return {Action::wait, record.id,
            fmt::format("image {} was retired {} ago ({}); it is shown again after {} if it is still wanted then",
                        record.id, human(age_of(record)), printable(property_of(record, property::retired)),
                        human(retired_patience)),
            Fault::glance_conflict};
  }
  if (!was_retired(record) && uploader_of(record) != host && age_of(record) < show_patience) {
    return wait_for(record, "has just uploaded it");
  }
  return {Action::show, record.id, {}};
}

Decision decide_queued(GlanceImage const& record, std::string_view host) {
  if (uploader_of(record) == host) return {Action::upload, record.id, {}};
  if (age_of(record) < queued_patience) return wait_for(record, "is about to upload it");
  return {Action::adopt, record.id, {}};
}

Decision decide_uploading(GlanceImage const& record, document::Image const& image, std::string_view host,
                          std::string_view suspect) {
  if (uploader_of(record) == host) {
    if (record.id != suspect) return {Action::look_again, record.id, {}};
    return {Action::remove, record.id, "an upload of this host that nobody makes any more"};
  }
  if (age_of(record) < saving_patience(image.content_size)) return wait_for(record, "is uploading it");
  return {Action::remove, record.id, fmt::format("its upload has not ended for {}", human(age_of(record)))};
}

std::string hash_of(document::Image const& image, std::string_view algorithm) {
  if (algorithm == "sha512") return image.content_sha512.hex();
  if (algorithm == "sha256") return image.content_sha256.hex();
  return {};
}

}  // namespace

Records our_attempts(Records records, Uuid const& image_id) {
  std::erase_if(records, [&image_id](auto const& record) { return attempt_of(record, image_id) == 0; });
  std::ranges::sort(records, {}, [&image_id](auto const& record) { return attempt_of(record, image_id); });
  return records;
}

std::chrono::seconds saving_patience(ByteCount size) {
  return openstack::upload_deadline(size) + std::chrono::minutes{1};
}

Condition condition_of(GlanceImage const& record, document::Image const& image) {
  auto const right_format =
      record.disk_format == image.disk_format && record.container_format == image.container_format;
  if (record.status == "queued") return right_format ? Condition::queued : Condition::wrong;
  if (record.status == "saving" || record.status == "uploading" || record.status == "importing") {
    return Condition::uploading;
  }
  if (record.status == "deleted" || record.status == "pending_delete") return Condition::gone;
  if (record.status != "active" && record.status != "deactivated") return Condition::wrong;
  if (!right_format || record.size != image.content_size) return Condition::wrong;
  auto const hash = hash_of(image, record.hash_algorithm);
  if (hash.empty() && !record.hash_value.empty()) return Condition::uncomparable;
  if (hash.empty() || record.hash_value != hash) return Condition::wrong;
  return record.status == "active" && !record.hidden ? Condition::usable : Condition::complete;
}

Decision decide(Records const& found, document::Image const& image, std::string_view host, std::string_view suspect) {
  auto const records = our_attempts(found, image.image_id);
  std::optional<Decision> in_use;
  for (auto const& record : records) {
    if (condition_of(record, image) != Condition::usable) continue;
    if (in_use) return {Action::hide, record.id, "one usable image is enough"};
    in_use = Decision{Action::use, record.id, {}};
  }
  if (in_use) return *in_use;
  // Complete ones before unfinished ones: bytes that are there need not be sent again.
  for (auto const& record : records) {
    if (condition_of(record, image) == Condition::complete) return decide_complete(record, host);
  }
  for (auto const& record : records) {
    switch (condition_of(record, image)) {
      case Condition::queued:
        return decide_queued(record, host);
      case Condition::uploading:
        return decide_uploading(record, image, host, suspect);
      case Condition::uncomparable:
        return {Action::refuse, record.id,
                fmt::format("Glance hashes image {} with {}, which the catalogue does not have; set "
                            "hashing_algorithm in glance-api.conf to sha512",
                            record.id, printable(record.hash_algorithm)),
                Fault::glance_wrong_data};
      case Condition::wrong:
        if (record.is_protected) break;  // the next attempt passes it by
        return {Action::remove, record.id, "it is not the image that its properties say"};
      case Condition::usable:
      case Condition::complete:
      case Condition::gone:
        break;
    }
  }
  return {Action::create, {}, {}};
}

std::optional<GlanceImage> usable_of(Records records, document::Image const& image) {
  for (auto& record : our_attempts(std::move(records), image.image_id)) {
    if (condition_of(record, image) == Condition::usable) return std::move(record);
  }
  return std::nullopt;
}

}  // namespace imageswarm::sinks
