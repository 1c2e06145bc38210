#include "daemon/sinks/glance_put.hpp"

#include <algorithm>
#include <thread>

#include "common/base/log.hpp"
#include "common/base/pause.hpp"
#include "common/base/text.hpp"
#include "daemon/sinks/content.hpp"
#include "daemon/sinks/content_pipe.hpp"
#include "daemon/sinks/glance_plan.hpp"
#include "daemon/sinks/glance_record.hpp"

namespace imageswarm::sinks {
namespace {

using openstack::Glance;
using openstack::GlanceImage;

/// More steps than any history of a record needs, so that two programs at odds end in an error and not in a loop.
constexpr int max_steps = 4 * static_cast<int>(max_attempts);

Error glance_error(Fault fault, std::string_view image, std::string_view what) {
  return {fault, fmt::format("image {}: {}", image, what)};
}

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

  [[nodiscard]] Result<GlancePut> run() {
    std::string suspect;
    for (int step = 0; step < max_steps; ++step) {
      auto const found = glance_.find(property::image_id, want_.image.image_id.text(), stop_);
      if (!found) return fail(found.error());
      auto const next = decide(*found, want_.image, host_, suspect);
      suspect.clear();
      switch (next.action) {
        case Action::use:
          drop_leftover(next.id);
          return GlancePut{*std::ranges::find(*found, next.id, &GlanceImage::id), uploaded_, content_.has_value()};
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
    auto const made =
        glance_.create(new_record(want_, settings_, attempt_id(want_.image.image_id, attempt_), host_), stop_);
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
    auto const store = settings_.stores.empty() ? std::string{} : settings_.stores.front();
    auto const sent = glance_.upload(id, want_.image.content_size, store, pull, stop_);
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
    auto const shown =
        glance_.patch(record.id, changes_to_show(record, want_, settings_, content_->inspection().virtual_size), stop_);
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

}  // namespace

Result<GlancePut> put_into(openstack::Glance& glance, flow::SinkSettings const& settings, std::string const& host,
                           flow::Want const& want, flow::Artefact const& artefact, Sink::Progress const& progress,
                           std::stop_token const& stop) {
  return Putting{glance, settings, host, want, artefact, progress, stop}.run();
}

}  // namespace imageswarm::sinks
