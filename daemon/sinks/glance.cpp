#include <algorithm>
#include <iterator>

#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "common/openstack/glance.hpp"
#include "daemon/sinks/glance_plan.hpp"
#include "daemon/sinks/glance_put.hpp"
#include "daemon/sinks/glance_record.hpp"
#include "daemon/sinks/glance_signature.hpp"
#include "daemon/sinks/glance_users.hpp"
#include "daemon/sinks/sink.hpp"

namespace imageswarm::sinks {
namespace {

using openstack::Glance;
using openstack::GlanceImage;

/// Nova copies our properties to the snapshots of its instances; what is ours has an ID of ours, too.
bool is_ours(GlanceImage const& record) {
  auto const image_id = Uuid::parse(property_of(record, property::image_id));
  return image_id && !our_attempts({record}, *image_id).empty();
}

class GlanceSink final : public Sink {
public:
  GlanceSink(flow::SinkSettings settings, openstack::Cloud cloud, std::string host)
      : settings_{std::move(settings)}, host_{std::move(host)}, cloud_{std::move(cloud)}, glance_{cloud_} {
    if (settings_.name.empty()) settings_.name = settings_.cloud;
  }

  std::string_view type() const override { return "glance"; }
  std::string const& name() const override { return settings_.name; }

  Result<std::optional<flow::Receipt>> find(flow::Want const& want, flow::Receipt const*,
                                            std::stop_token const& stop) override {
    auto found = glance_.find(property::image_id, want.image.image_id.text(), stop);
    if (!found) return fail(found.error());
    auto const usable = usable_of(std::move(*found), want.image);
    if (!usable) return std::nullopt;
    if (auto const described = describe(*usable, want, stop); !described) return fail(described.error());
    return receipt(want, *usable, "", false);
  }

  Result<flow::Receipt> put(flow::Want const& want, flow::Artefact const& artefact, Progress const& progress,
                            std::stop_token const& stop) override {
    auto const put = put_into(glance_, settings_, host_, want, artefact, progress, stop);
    if (!put) return fail(put.error());
    if (auto const described = describe(put->image, want, stop); !described) return fail(described.error());
    return receipt(want, put->image, put->unpacked ? "content-sha256 content-sha512 " : "", put->uploaded);
  }

  /// Of several records, all are taken out of use; the one that is still there is told of.
  Result<flow::Retired> retire(flow::Want const& want, flow::Retirement why, std::stop_token const& stop) override {
    auto found = glance_.find(property::image_id, want.image.image_id.text(), stop);
    if (!found) return fail(found.error());
    flow::Retired most;
    std::optional<Error> first;
    std::vector<std::string> ids;
    for (auto const& record : our_attempts(std::move(*found), want.image.image_id)) {
      ids.push_back(record.id);
      auto const effect = retire(record, why, stop);
      if (!effect && !first) first = effect.error();
      if (effect && *effect > most.effect) most = {*effect, record.id, {}};
    }
    if (first) return fail(std::move(*first));
    if (most.effect == flow::Effect::deactivated) most.used_by = users_in_nova(cloud_, ids, stop);
    return most;
  }

  /// Deletes superseded images whose time is over. Whoever protects one keeps it.
  Result<> tend(std::stop_token const& stop) override {
    if (!settings_.remove_superseded_after) return {};
    auto const found = glance_.find(property::retired, name_of(flow::Retirement::superseded), stop);
    if (!found) return fail(found.error());
    for (auto const& record : *found) {
      if (!is_ours(record) || !record.hidden || record.is_protected) continue;
      if (record.seen - record.updated < *settings_.remove_superseded_after) continue;
      auto const removed = glance_.remove(record.id, stop);
      if (removed) {
        log_info("{}: deleted image {} ({}), superseded {} ago", settings_.name, record.id, printable(record.name),
                 human(record.seen - record.updated));
      } else if (removed.error().fault != Fault::glance_not_found) {
        log_warning("{}: {}", settings_.name, removed.error().what);
      }
    }
    return {};
  }

  /// What a crash left behind is found by the next `put` of that image, of whichever host.
  Result<> clean_up(std::stop_token const&) override { return {}; }

private:
  /// Marks it first, so that a deactivated image can always be told from one that somebody else deactivated; but a
  /// failure of that does not keep it in use.
  Result<flow::Effect> retire(GlanceImage const& record, flow::Retirement why, std::stop_token const& stop) {
    using flow::Effect;
    auto const has_data = record.status == "active" || record.status == "deactivated";
    if (!has_data) {
      if (why == flow::Retirement::superseded) return Effect::absent;
      return glance_.remove(record.id, stop).map([] { return Effect::removed; });
    }
    Result<> marked;
    if (auto const changes = changes_to_retire(record, why, settings_); !changes.empty()) {
      auto const patched = glance_.patch(record.id, changes, stop);
      if (!patched) marked = fail(patched.error());
    }
    auto const blocked = why == flow::Retirement::withdrawn || why == flow::Retirement::recalled;
    if (blocked && record.status != "deactivated") {
      if (auto const deactivated = glance_.deactivate(record.id, stop); !deactivated) return fail(deactivated.error());
    }
    if (!marked) return fail(marked.error());
    return blocked || record.status == "deactivated" ? Effect::deactivated : Effect::hidden;
  }

  /// Every host does it, as each finds it necessary (docs/decisions/0011-who-describes-an-image.md).
  Result<> describe(GlanceImage const& record, flow::Want const& want, std::stop_token const& stop) {
    std::map<std::string, std::string> signature;
    if (settings_.signature) {
      auto made = signature_properties(*settings_.signature, want.image.content_sha512, record);
      if (!made) return fail(std::move(made.error()));
      signature = std::move(*made);
    }
    auto const changes = changes_to_describe(record, want, settings_, signature);
    if (!changes.empty()) {
      if (auto const patched = glance_.patch(record.id, changes, stop); !patched) return fail(patched.error());
      log_info("{}: image {} says now what its entry and this site's settings want", settings_.name, record.id);
    }
    copy_to_stores(record, stop);
    return settings_.members.empty() ? Result<>{} : share(record, stop);
  }

  /// The image is usable wherever it lies, so what keeps Glance from it is only said, and it is tried with the next
  /// look.
  void copy_to_stores(GlanceImage const& record, std::stop_token const& stop) {
    if (!property_of(record, property::importing).empty()) return;
    std::vector<std::string> missing;
    std::ranges::copy_if(settings_.stores, std::back_inserter(missing), [&record](std::string const& store) {
      return std::ranges::find(record.stores, store) == record.stores.end();
    });
    if (missing.empty()) return;
    auto const begun = glance_.copy_to_stores(record.id, missing, stop);
    if (begun) {
      log_info("{}: Glance copies image {} to {}", settings_.name, record.id, join(missing, ", "));
    } else {
      log_warning("{}: image {} is not copied to {}: {}", settings_.name, record.id, join(missing, ", "),
                  begun.error().line());
    }
  }

  /// With exactly those whom the settings name.
  Result<> share(GlanceImage const& record, std::stop_token const& stop) {
    auto const members = glance_.members(record.id, stop);
    if (!members) return fail(members.error());
    for (auto const& project : settings_.members) {
      if (std::ranges::find(*members, project) != members->end()) continue;
      auto const added = glance_.add_member(record.id, project, stop);
      bool const by_another_host = !added && added.error().fault == Fault::glance_conflict;
      if (!added && !by_another_host) return added;
    }
    for (auto const& project : *members) {
      if (std::ranges::find(settings_.members, project) != settings_.members.end()) continue;
      auto const removed = glance_.remove_member(record.id, project, stop);
      bool const by_another_host = !removed && removed.error().fault == Fault::glance_not_found;
      if (!removed && !by_another_host) return removed;
    }
    return {};
  }

  /// The hash that Glance made of what it has was compared for every record that is usable.
  flow::Receipt receipt(flow::Want const& want, GlanceImage const& image, std::string const& compared_here,
                        bool uploaded_here) const {
    return {.image_id = want.image.image_id,
            .sink = settings_.name,
            .sink_type = "glance",
            .reference = image.id,
            .content_sha256 = want.image.content_sha256,
            .content_sha512 = want.image.content_sha512,
            .size = want.image.content_size,
            .compared = compared_here + "os-hash-" + image.hash_algorithm,
            .provenance = want.provenance,
            .at = SystemClock{}.now(),
            .uploaded_here = uploaded_here};
  }

  flow::SinkSettings settings_;
  std::string host_;
  openstack::Cloud cloud_;
  Glance glance_;
};

}  // namespace

Result<std::unique_ptr<Sink>> make_glance_sink(flow::SinkSettings const& settings, std::string host) {
  auto cloud = openstack::load_cloud(settings.clouds_file, settings.cloud);
  if (!cloud) return fail(cloud.error());
  return std::make_unique<GlanceSink>(settings, std::move(*cloud), std::move(host));
}

}  // namespace imageswarm::sinks
