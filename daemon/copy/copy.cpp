#include "daemon/copy/copy.hpp"

#include <thread>

#include "common/base/text.hpp"
#include "daemon/sinks/content_pipe.hpp"
#include "daemon/sinks/glance_plan.hpp"
#include "daemon/sinks/glance_record.hpp"

namespace imageswarm::copy {
namespace {

using openstack::Data;
using openstack::Glance;
using openstack::GlanceImage;
using sinks::property_of;

/// ID of the record that a copy was made of: so an unfinished one is known as ours.
constexpr auto copied_from = "imageswarm_copied_from";

/// Everything that is true of the image wherever it is.
openstack::NewImage new_copy(GlanceImage const& source, Uuid const& id) {
  openstack::NewImage copy{.id = id.text(),
                           .name = source.name,
                           .disk_format = source.disk_format,
                           .container_format = source.container_format,
                           .min_disk_gib = source.min_disk_gib,
                           .min_ram_mib = source.min_ram_mib,
                           .tags = source.tags,
                           .properties = source.properties};
  bool const is_ours = image_id_of(source).has_value();
  std::erase_if(copy.properties, [is_ours](auto const& each) {
    return openstack::is_of_its_place(each.first) || (!is_ours && each.first.starts_with("imageswarm_"));
  });
  copy.properties[copied_from] = source.id;
  if (is_ours) copy.properties[sinks::property::uploader] = "imageswarmctl";  // hosts wait for it as for one another
  return copy;
}

class Copying {
public:
  Copying(Glance& from, Glance& to, GlanceImage const& source, std::optional<Data> const& promised,
          Progress const& progress, std::stop_token const& stop)
      : from_{from}, to_{to}, source_{source}, promised_{promised}, progress_{progress}, stop_{stop} {}

  [[nodiscard]] Result<Copied> run() {
    auto const retired = property_of(source_, sinks::property::retired);
    if (!retired.empty() && retired != name_of(flow::Retirement::superseded)) {
      return fail(Fault::glance_conflict, "image {} was taken out of use there: {}", source_.id, printable(retired));
    }
    if (promised_) {
      if (auto good = openstack::compare(source_, *promised_); !good) return fail(std::move(good.error()));
    }
    auto const own = Uuid::parse(source_.id);
    if (!own) return fail(Fault::glance_wrong_data, "image {}: its ID is no UUID", printable(source_.id));
    for (unsigned attempt = 1; attempt <= sinks::max_attempts; ++attempt) {
      auto copied = try_id(sinks::attempt_id(image_id_of(source_).value_or(*own), attempt));
      if (!copied || *copied) return copied.map([](auto& made) { return std::move(*made); });
    }
    return fail(Fault::glance_conflict, "{} IDs for image {} are used up", sinks::max_attempts, source_.id);
  }

private:
  /// Nothing if the ID is used up, or has another image.
  Result<std::optional<Copied>> try_id(Uuid const& id) {
    auto there = to_.show(id.text(), stop_);
    if (!there && there.error().fault == Fault::glance_not_found) {
      there = to_.create(new_copy(source_, id), stop_);
      if (!there && there.error().fault == Fault::glance_conflict) return std::nullopt;
    }
    if (!there) return fail(std::move(there.error()));
    bool const is_copy = property_of(*there, copied_from) == source_.id;
    if (there->status == "queued" && is_copy) return upload(there->id);
    if (there->status == "queued" || there->status == "saving") return wait_for(*there, is_copy);
    auto const same = has_same_data(*there);
    if (!same) return fail(same.error());
    if (!*same) return std::nullopt;
    if (there->status != "active") {
      return fail(Fault::glance_forbidden, "image {} is there already, and {}", there->id, printable(there->status));
    }
    if (!property_of(*there, sinks::property::retired).empty()) {
      return fail(Fault::glance_forbidden, "image {} is there already, and was taken out of use there ({})", there->id,
                  printable(property_of(*there, sinks::property::retired)));
    }
    if (!there->hidden || !is_copy) return Copied{std::move(*there), true};
    return show(there->id, true);
  }

  /// A client that is gone puts its record back to queued, while a Glance that was killed leaves it in saving for ever.
  Result<std::optional<Copied>> wait_for(GlanceImage const& record, bool is_copy) {
    auto const age = record.seen - record.updated;
    auto const patience = sinks::saving_patience(source_.size.value_or(ByteCount{}));
    if (record.status == "queued" || !is_copy || age < patience) {
      return fail(Fault::glance_busy, "image {} is being uploaded there since {}; try again later", record.id,
                  human(age));
    }
    if (auto removed = to_.remove(record.id, stop_); !removed) return fail(std::move(removed.error()));
    return std::nullopt;
  }

  Result<bool> has_same_data(GlanceImage const& record) {
    bool const same_form = record.size == source_.size && record.disk_format == source_.disk_format &&
                           record.container_format == source_.container_format;
    if (!same_form) return false;
    if (openstack::has_hash(source_) && record.hash_algorithm == source_.hash_algorithm) {
      return record.hash_value == source_.hash_value;
    }
    auto const data = openstack::download(
        from_, source_, [](std::span<std::byte const>) { return Result<>{}; }, stop_);
    if (!data) return fail(data.error());
    return openstack::has_hash(record) && openstack::compare(record, *data).has_value();
  }

  Result<Data> fetch(sinks::ContentPipe& pipe) {
    auto data = openstack::download(
        from_, source_, [&pipe](std::span<std::byte const> bytes) { return pipe.push(bytes); }, stop_);
    bool const as_promised = !data || !promised_ || *data == *promised_;
    if (as_promised) return data;
    return fail(Fault::hash_mismatch, "the data of image {} is not what its endorser signed", source_.id);
  }

  Result<std::optional<Copied>> upload(std::string const& id) {
    sinks::ContentPipe pipe;
    std::optional<Data> data;
    Result<> sent;
    {
      std::jthread const fetcher{[this, &pipe, &data] {
        auto fetched = fetch(pipe);
        pipe.finish(fetched ? Result<>{} : Result<>{fail(fetched.error())});
        if (fetched) data = *fetched;
      }};
      ByteCount moved;
      auto const pull = [this, &pipe, &moved](std::span<std::byte> room) {
        auto const count = pipe.pull(room, stop_);
        moved += {count.value_or(0)};
        progress_(moved);
        return count;
      };
      sent = to_.upload(id, *source_.size, "", pull, stop_);
      pipe.abandon();
    }
    if (!sent) return fail(pipe.failure().value_or(sent.error()));
    auto const record = to_.show(id, stop_);
    if (!record) return fail(record.error());
    auto const good = openstack::compare(*record, *data);
    if (good && openstack::has_hash(*record)) return show(id, false);
    if (auto removed = to_.remove(id, stop_); !removed) return fail(std::move(removed.error()));
    if (!good) return fail(good.error());
    return fail(Fault::glance_wrong_data, "Glance made no hash of image {}: nothing to compare", id);
  }

  Result<std::optional<Copied>> show(std::string const& id, bool was_there) {
    auto shown = to_.patch(id, {{"os_hidden", false}}, stop_);
    if (!shown) return fail(std::move(shown.error()));
    return Copied{std::move(*shown), was_there};
  }

  Glance& from_;
  Glance& to_;
  GlanceImage const& source_;
  std::optional<Data> const& promised_;
  Progress const& progress_;
  std::stop_token const& stop_;
};

}  // namespace

std::optional<Uuid> image_id_of(GlanceImage const& record) {
  auto const id = Uuid::parse(property_of(record, sinks::property::image_id));
  if (!id || sinks::our_attempts({record}, *id).empty()) return std::nullopt;
  return *id;
}

Result<Copied> copy_image(Glance& from, Glance& to, GlanceImage const& source, std::optional<Data> const& promised,
                          Progress const& progress, std::stop_token const& stop) {
  return Copying{from, to, source, promised, progress, stop}.run();
}

}  // namespace imageswarm::copy
