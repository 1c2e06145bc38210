#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "common/openstack/glance.hpp"
#include "daemon/sinks/content.hpp"
#include "daemon/sinks/content_pipe.hpp"
#include "daemon/sinks/glance_plan.hpp"
#include "daemon/sinks/glance_record.hpp"
#include "daemon/sinks/glance_users.hpp"
#include "daemon/sinks/sink.hpp"

namespace imageswarm::sinks {
namespace {

using openstack::Glance;
using openstack::GlanceImage;

/// More steps than any history of a record needs, so that two programs at odds end in an error and not in a loop.
constexpr int max_steps = 4 * static_cast<int>(max_attempts);

/// False: stopped.
bool pause(std::chrono::seconds span, std::stop_token const& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock{mutex};
  never.wait_for(lock, stop, span, [] { return false; });
  return !stop.stop_requested();
}

Error glance_error(Fault fault, std::string_view image, std::string_view what) {
  return {fault, fmt::format("image {}: {}", image, what)};
}

/// One `put`: looks, decides and acts until the image is usable.
class Putting {
public:
  Putting(Glance& glance, flow::SinkSettings const& settings, std::string const& host, flow::Want const& want,
          flow::Artefact const& artefact, Sink::Progress const& progress, std::stop_token const& stop)
      : glance_{glance},
        settings_{settings},
        host_{host},
        want_{want},
        artefact_{artefact},
        progress_{progress},
        stop_{stop} {}

  bool uploaded() const { return uploaded_; }

  /// Was the content unpacked here, and with it both of its digests compared?
  bool unpacked() const { return content_.has_value(); }

  /// The usable image.
  [[nodiscard]] Result<GlanceImage> run() {
    std::string suspect;
    for (int step = 0; step < max_steps; ++step) {
      auto const found = glance_.find(property::image_id, want_.image.image_id.text(), stop_);
      if (!found) return fail(found.error());
      auto const next = decide(*found, want_.image, host_, suspect);
      suspect.clear();
      switch (next.action) {
        case Action::use:
          drop_leftover(next.id);
          return *std::ranges::find(*found, next.id, &GlanceImage::id);
        case Action::wait:
        case Action::refuse:
          drop_leftover(next.id);
          return fail(next.fault, "{}", next.reason);
        case Action::look_again:
          suspect = next.id;
          if (!pause(look_again_after, stop_)) return fail(Fault::cancelled, "stopped");
          break;
        default:
          if (auto const done = act(next, *found); !done) return fail(done.error());
      }
    }
    return fail(
        glance_error(Fault::glance_conflict, want_.image.image_id.text(), "its records in Glance keep changing"));
  }

private:
  Result<> act(Decision const& next, std::vector<GlanceImage> const& found) {
    switch (next.action) {
      case Action::create:
        return create();
      case Action::adopt:
        return adopt(next.id);
      case Action::upload:
        return upload(next.id);
      case Action::show:
        return show(*std::ranges::find(found, next.id, &GlanceImage::id));
      case Action::hide:
        return hide(next);
      default:
        return remove(next);
    }
  }

  /// The lowest ID that was never used. A conflict is looked into by the next step: if the record is there to be seen,
  /// somebody was faster; if not, the ID is used up and the next one is tried.
  Result<> create() {
    if (attempt_ > max_attempts) {
      return fail(
          glance_error(Fault::glance_conflict, want_.image.image_id.text(),
                       fmt::format("{} of its IDs are used up in Glance; purge its deleted images (glance-manage "
                                   "db purge_images_table)",
                                   max_attempts)));
    }
    auto const made = glance_.create(new_record(want_, attempt_id(want_.image.image_id, attempt_), host_), stop_);
    if (made) {
      leftover_ = made->id;
      return {};
    }
    if (made.error().fault != Fault::glance_conflict) return fail(made.error());
    // A database cluster may tell of the conflict a moment before it shows the record.
    if (!pause(std::chrono::seconds{1}, stop_)) return fail(Fault::cancelled, "stopped");
    ++attempt_;
    return {};
  }

  /// There is no compare-and-set: several hosts may believe that the record is theirs now, and Glance takes the upload
  /// of one. The others learn of it in `upload`.
  Result<> adopt(std::string const& id) {
    auto const adopted = glance_.patch(id, {{property::uploader, host_}}, stop_);
    if (!adopted) return adopted.error().fault == Fault::glance_not_found ? Result<>{} : fail(adopted.error());
    adopted_ = id;
    return {};
  }

  Result<> upload(std::string const& id) {
    ContentPipe pipe;
    std::jthread const unpacker{[this, &pipe] {
      auto const push = [&pipe](std::span<std::byte const> data) { return pipe.push(data); };
      auto content = unpack_verified(artefact_, push, stop_);
      pipe.finish(content ? Result<>{} : Result<>{fail(content.error())});
      if (content) content_ = std::move(*content);
    }};
    ByteCount moved;
    auto const pull = [this, &pipe, &moved](std::span<std::byte> room) {
      auto const count = pipe.pull(room, stop_);
      moved += {count.value_or(0)};
      if (progress_) progress_(moved);
      return count;
    };
    auto const sent = glance_.upload(id, want_.image.content_size, pull, stop_);
    pipe.abandon();
    if (sent) {
      uploaded_ = true;
      return {};
    }
    return after_failed_upload(id, sent.error(), pipe.failure());
  }

  Result<> after_failed_upload(std::string const& id, Error const& error, std::optional<Error> const& unpacking) {
    if (stop_.stop_requested()) return fail(Fault::cancelled, "stopped while uploading image {}", id);
    if (unpacking && unpacking->fault == error.fault && class_of(error.fault) == FaultClass::refused) {
      auto const whole = artefact_.verified();
      if (!whole) return fail(whole.error());  // what we have is wrong, which says nothing about the image
      log_warning("glance: image {}: {}; deleting its record, which was never shown", id, unpacking->what);
      if (auto const removed = glance_.remove(id, stop_); !removed) log_warning("glance: {}", removed.error().what);
      return fail(*unpacking);
    }
    if (error.fault == Fault::glance_gone || error.fault == Fault::glance_not_found) return {};  // deleted meanwhile
    if (error.fault != Fault::glance_conflict) return fail(error);
    if (adopted_ == id) {  // it is not ours after all, so that we must not take the upload for a corpse of ours
      if (auto const undone = glance_.patch(id, {{property::uploader, std::string{"unknown"}}}, stop_); !undone) {
        log_warning("glance: {}", undone.error().what);
      }
    }
    return fail(glance_error(Fault::glance_busy, id, "another host has begun to upload it; looking again soon"));
  }

  /// Every host inspects before it shows, also what another host has uploaded.
  Result<> show(GlanceImage const& record) {
    if (!content_) {
      auto content = unpack_verified(
          artefact_, [](std::span<std::byte const>) { return Result<>{}; }, stop_);
      if (!content) return fail(content.error());
      content_ = std::move(*content);
    }
    if (record.status == "deactivated") {
      if (auto const active = glance_.reactivate(record.id, stop_); !active) return active;
    }
    auto const shown = glance_.patch(
        record.id, changes_to_show(record, want_, content_->inspection().virtual_size, settings_.visibility), stop_);
    if (!shown) return fail(shown.error());
    if (!shown->hidden && shown->visibility == settings_.visibility) return {};
    return fail(
        glance_error(Fault::glance_rejected, record.id, "Glance accepted the change that shows it, and did not"));
  }

  Result<> hide(Decision const& next) {
    log_warning("glance: hiding image {}: {}", next.id, next.reason);
    auto const hidden = glance_.patch(next.id, {{"os_hidden", true}}, stop_);
    if (!hidden) return fail(hidden.error());
    return {};
  }

  Result<> remove(Decision const& next) {
    log_warning("glance: deleting image {}: {}", next.id, next.reason);
    auto removed = glance_.remove(next.id, stop_);
    if (!removed && removed.error().fault == Fault::glance_not_found) return {};
    return removed;
  }

  /// The record that this call made, when another one has turned out to stand for the image: nobody has seen it yet.
  void drop_leftover(std::string const& chosen) {
    if (leftover_.empty() || leftover_ == chosen) return;
    if (auto const removed = glance_.remove(leftover_, stop_); !removed)
      log_warning("glance: {}", removed.error().what);
  }

  Glance& glance_;
  flow::SinkSettings const& settings_;
  std::string const& host_;
  flow::Want const& want_;
  flow::Artefact const& artefact_;
  Sink::Progress const& progress_;
  std::stop_token const& stop_;

  unsigned attempt_ = 1;                    ///< whose ID `create` tries next
  std::string leftover_;                    ///< ID of the record that this call made
  std::string adopted_;                     ///< ID of the record that was taken over from another host
  std::optional<VerifiedContent> content_;  ///< unpacked and verified by this call
  bool uploaded_ = false;
};

class GlanceSink final : public Sink {
public:
  GlanceSink(flow::SinkSettings settings, openstack::Cloud cloud, std::string host)
      : settings_{std::move(settings)}, host_{std::move(host)}, cloud_{std::move(cloud)}, glance_{cloud_} {
    if (settings_.name.empty()) settings_.name = settings_.cloud;
  }

  std::string_view type() const override { return "glance"; }
  std::string const& name() const override { return settings_.name; }

  Result<std::optional<flow::Receipt>> find(flow::Want const& want, std::stop_token const& stop) override {
    auto found = glance_.find(property::image_id, want.image.image_id.text(), stop);
    if (!found) return fail(found.error());
    auto const usable = usable_of(std::move(*found), want.image);
    if (!usable) return std::nullopt;
    return receipt(want, *usable, "", false);
  }

  Result<flow::Receipt> put(flow::Want const& want, flow::Artefact const& artefact, Progress const& progress,
                            std::stop_token const& stop) override {
    Putting putting{glance_, settings_, host_, want, artefact, progress, stop};
    auto const image = putting.run();
    if (!image) return fail(image.error());
    return receipt(want, *image, putting.unpacked() ? "content-sha256 content-sha512 " : "", putting.uploaded());
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

  /// What a crash left behind is found by the next `put` of that image, of whichever host.
  Result<> clean_up(std::stop_token const&) override { return {}; }

private:
  /// Marks it first, so that a deactivated image can always be told from one that somebody else deactivated; but a
  /// failure of that does not keep it in use.
  Result<flow::Effect> retire(GlanceImage const& record, flow::Retirement why, std::stop_token const& stop) {
    using flow::Effect;
    auto const mark = std::string{name_of(why)};
    auto const has_data = record.status == "active" || record.status == "deactivated";
    if (!has_data) {
      if (why == flow::Retirement::superseded) return Effect::absent;
      return glance_.remove(record.id, stop).map([] { return Effect::removed; });
    }
    Result<> marked;
    if (!record.hidden || property_of(record, property::retired) != mark) {
      auto const patched = glance_.patch(record.id, {{"os_hidden", true}, {property::retired, mark}}, stop);
      if (!patched) marked = fail(patched.error());
    }
    auto const blocked = why == flow::Retirement::withdrawn || why == flow::Retirement::recalled;
    if (blocked && record.status != "deactivated") {
      if (auto const deactivated = glance_.deactivate(record.id, stop); !deactivated) return fail(deactivated.error());
    }
    if (!marked) return fail(marked.error());
    return blocked || record.status == "deactivated" ? Effect::deactivated : Effect::hidden;
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
