#include <nlohmann/json.hpp>
#include <utility>

#include "daemon/control/ctl/fields.hpp"
#include "daemon/control/ctl/render.hpp"

namespace imageswarm::ctl {
namespace {

using Align = Column::Align;

constexpr unsigned bar_width = 16;

std::string with_limit(std::uint64_t present, Json const& host, std::string_view limit) {
  auto line = human(Rate{present});
  if (member(host, limit).is_number()) line += " (limit " + human(Rate{bytes(host, limit).value}) + ")";
  return line;
}

/// "; outside the site at most 1.0 MB/s down", or nothing where there is no such limit.
std::string far_limits(Json const& host) {
  std::string limits;
  for (auto const& [key, way] : {std::pair{"far-download-limit", "down"}, std::pair{"far-upload-limit", "up"}}) {
    if (!member(host, key).is_number()) continue;
    limits += fmt::format("{}{} {}", limits.empty() ? "; outside the site at most " : ", ",
                          human(Rate{bytes(host, key).value}), way);
  }
  return limits;
}

/// Who is answering and what moves at present.
std::string head(Json const& status, Json const& host, Screen const& screen) {
  std::uint64_t down = 0, up = 0;
  for (auto const& image : items(status, "images")) {
    down += bytes(image, "download-rate").value;
    up += bytes(image, "upload-rate").value;
  }
  auto const who = fmt::format("{}  imageswarmd {}", text(status, "host", screen), text(status, "version", screen));
  auto const moving =
      fmt::format("{}download {}, upload {}{}", member(host, "paused") == true ? "paused; " : "",
                  with_limit(down, host, "download-limit"), with_limit(up, host, "upload-limit"), far_limits(host));
  return coloured(cut(who, screen.width, screen), Colour::strong, screen) + "\n" + cut(moving, screen.width, screen) +
         "\n";
}

Row subscription_row(Json const& subscription, TimePoint now, Screen const& screen) {
  auto name = text(subscription, "name", screen);
  if (name.empty()) name = text(subscription, "url", screen);
  auto serial = text(subscription, "serial", screen);
  Row row{{{std::move(name)},
           {text(subscription, "kind", screen)},
           {serial.empty() ? "-" : std::move(serial)},
           {until(subscription, "expires", now)},
           state_cell(subscription, screen)},
          {}};
  add_error(row, subscription, "", screen);
  return row;
}

/// Where the bytes came from and where they went; empty while nothing has moved.
std::string traffic(Json const& image) {
  static constexpr std::pair<std::string_view, std::string_view> sources[] = {
      {"peers", "from peers"}, {"web-seed", "web seed"}, {"local", "found here"}, {"uploaded", "sent"}};
  std::string line;
  for (auto const& [key, label] : sources) {
    auto const count = bytes(member(image, "bytes"), key);
    if (count.value > 0) line += fmt::format("{}{} {}", line.empty() ? "" : ", ", label, human(count));
  }
  return line;
}

std::string sinks_line(Json const& image, Screen const& screen) {
  std::string line;
  for (auto const& sink : items(image, "sinks")) {
    line += fmt::format("{}{} {}: {}", line.empty() ? "" : ", ", text(sink, "type", screen), text(sink, "name", screen),
                        text(sink, "state", screen));
  }
  return line;
}

Row image_row(Json const& image, Screen const& screen) {
  auto const& progress = member(image, "progress");
  std::string shown;
  if (progress.is_number()) {
    shown = fmt::format("{} {:>5}", bar(progress.get<double>(), bar_width, screen), percent(image, "progress"));
  }
  Row row{{{image_name(image, screen)},
           state_cell(image, screen),
           {std::move(shown)},
           {rate(image, "download-rate")},
           {rate(image, "upload-rate")}},
          {}};
  if (auto line = sinks_line(image, screen); !line.empty()) row.notes.push_back({std::move(line)});
  if (auto line = traffic(image); !line.empty()) row.notes.push_back({std::move(line)});
  add_error(row, image, "", screen);
  for (auto const& sink : items(image, "sinks")) {
    add_error(row, sink, text(sink, "type", screen) + " " + text(sink, "name", screen), screen);
  }
  return row;
}

}  // namespace

std::string render_status(Json const& status, Json const& host, TimePoint now, Screen const& screen) {
  auto page = head(status, host, screen);

  std::vector<Row> subscriptions;
  for (auto const& one : items(status, "subscriptions")) subscriptions.push_back(subscription_row(one, now, screen));
  if (!subscriptions.empty()) {
    page +=
        "\n" + table({{"SUBSCRIPTION", Align::left, true}, {"KIND"}, {"SERIAL", Align::right}, {"EXPIRES"}, {"STATE"}},
                     subscriptions, screen);
  }

  std::vector<Row> images;
  std::size_t others = 0;
  for (auto const& image : items(status, "images")) {
    auto const state = text(image, "state", screen);
    if (state == "not-selected" || state == "not-approved") {
      ++others;
    } else {
      images.push_back(image_row(image, screen));
    }
  }
  if (!images.empty()) {
    page += "\n" +
            table({{"IMAGE", Align::left, true}, {"STATE"}, {"PROGRESS"}, {"DOWN", Align::right}, {"UP", Align::right}},
                  images, screen);
  } else {
    page += "\nno image is selected for this host\n";
  }
  if (others > 0) {
    auto const line = fmt::format("{} more not for this host: see imageswarmctl images and explain", others);
    page += "\n" + cut(line, screen.width, screen) + "\n";
  }
  return page;
}

}  // namespace imageswarm::ctl
