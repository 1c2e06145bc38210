#include "daemon/state/departure_table.hpp"

#include <map>
#include <utility>

#include "common/base/log.hpp"
#include "daemon/state/columns.hpp"
#include "daemon/state/want_text.hpp"

namespace imageswarm::state {
namespace {

Error unreadable() {
  return {Fault::state_corrupt, "a row about a departed image cannot be read"};
}

/// Columns want, why, reason, since, unseeded, discarded.
Result<Departure> read_departure(Row const& row) {
  auto want = read_want(row.text(0));
  auto const why = flow::retirement_of(row.text(1));
  if (!want || !why) return fail(unreadable());
  return Departure{.want = std::move(*want),
                   .why = *why,
                   .reason = row.text(2),
                   .since = time_of(row.integer(3)),
                   .unseeded = optional_time_of(row.integer(4)),
                   .discarded = optional_time_of(row.integer(5)),
                   .sinks = {}};
}

/// Columns sink, sink_type, reference, effect, used_by, at.
Result<DepartedSink> read_sink(Row const& row) {
  auto const effect = flow::effect_of(row.text(3));
  if (!effect && !row.text(3).empty()) return fail(unreadable());
  return DepartedSink{.name = row.text(0),
                      .type = row.text(1),
                      .reference = row.text(2),
                      .effect = effect,
                      .used_by = row.text(4),
                      .at = optional_time_of(row.integer(5)),
                      .error = {}};
}

}  // namespace

Result<std::vector<Departure>> read_departures(Database const& database) {
  std::vector<Departure> departures;
  std::map<std::string, std::size_t> index;
  auto const read =
      database.each("select want, why, reason, since, unseeded, discarded, image_id from departure order by since", {},
                    [&](Row const& row) -> Result<> {
                      auto departure = read_departure(row);
                      if (!departure) {
                        log_warning("{}; {} is passed over", departure.error().line(), row.text(6));
                        return {};
                      }
                      index.emplace(row.text(6), departures.size());
                      departures.push_back(std::move(*departure));
                      return {};
                    });
  if (!read) return fail(read.error());
  auto const read_sinks = database.each(
      "select sink, sink_type, reference, effect, used_by, at, image_id from departure_sink order by image_id, sink",
      {}, [&](Row const& row) -> Result<> {
        auto const of = index.find(row.text(6));
        auto sink = read_sink(row);
        if (of == index.end()) return {};
        if (!sink) return fail(unreadable());
        departures[of->second].sinks.push_back(std::move(*sink));
        return {};
      });
  if (!read_sinks) return fail(read_sinks.error());
  return departures;
}

Result<> write_departure(Database& database, Departure const& departure) {
  auto const id = departure.want.image.image_id;
  if (auto removed = remove_departure(database, id); !removed) return removed;
  if (auto written =
          database.run("insert into departure values (?, ?, ?, ?, ?, ?, ?)",
                       {id.text(), write(departure.want), flow::name_of(departure.why), departure.reason,
                        seconds(departure.since), seconds(departure.unseeded), seconds(departure.discarded)});
      !written) {
    return written;
  }
  for (auto const& sink : departure.sinks) {
    auto const effect = sink.effect ? flow::name_of(*sink.effect) : "";
    if (auto written =
            database.run("insert into departure_sink values (?, ?, ?, ?, ?, ?, ?)",
                         {id.text(), sink.name, sink.type, sink.reference, effect, sink.used_by, seconds(sink.at)});
        !written) {
      return written;
    }
  }
  return {};
}

Result<> remove_departure(Database& database, Uuid const& image_id) {
  auto const id = image_id.text();
  return database.run("delete from departure_sink where image_id = ?", {id}).and_then([&] {
    return database.run("delete from departure where image_id = ?", {id});
  });
}

}  // namespace imageswarm::state
