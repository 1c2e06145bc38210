#include "daemon/state/announcement_table.hpp"

#include <optional>

#include "daemon/state/columns.hpp"

namespace imageswarm::state {
namespace {

bool take_event(std::string const& name, flow::EventKind& into) {
  auto const kind = flow::event_of(name);
  into = kind.value_or(into);
  return kind.has_value();
}

}  // namespace

bool read_announcement(Row const& row, Announcement& announcement) {
  announcement.detail = row.text(2);
  return take(row.text(0), announcement.image_id) && take_event(row.text(1), announcement.event);
}

bool read_delivery(Row const& row, Delivery& delivery) {
  delivery.number = row.integer(0);
  delivery.hook = row.text(1);
  delivery.body = row.text(4);
  delivery.since = time_of(row.integer(5));
  return take(row.text(2), delivery.image_id) && take_event(row.text(3), delivery.event);
}

Result<> write_announcement(Database& database, Announcement const& announcement, std::vector<Delivery>& deliveries) {
  if (auto written = database.run("insert or replace into announcement values (?, ?, ?)",
                                  {announcement.image_id.text(), name_of(announcement.event), announcement.detail});
      !written) {
    return written;
  }
  for (auto& delivery : deliveries) {
    if (auto written = database.run(
            "insert into delivery (hook, image_id, event, body, since) values (?, ?, ?, ?, ?)",
            {delivery.hook, delivery.image_id.text(), name_of(delivery.event), delivery.body, seconds(delivery.since)});
        !written) {
      return written;
    }
    auto const number = database.number("select last_insert_rowid()");
    if (!number) return fail(number.error());
    delivery.number = *number;
  }
  return {};
}

}  // namespace imageswarm::state
