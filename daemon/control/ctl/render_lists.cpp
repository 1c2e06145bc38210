#include <nlohmann/json.hpp>
#include <utility>

#include "daemon/control/ctl/fields.hpp"
#include "daemon/control/ctl/render.hpp"

namespace imageswarm::ctl {
namespace {

using Align = Column::Align;

std::string list(std::vector<Column> const& columns, std::vector<Row> const& rows, std::string_view if_empty,
                 Screen const& screen) {
  return rows.empty() ? fmt::format("{}\n", if_empty) : table(columns, rows, screen);
}

std::string limit_text(Json const& host, std::string_view key) {
  return member(host, key).is_number() ? human(Rate{bytes(host, key).value}) : human(Rate{});
}

/// "glance mysite: deactivated 2031-05-02T10:00:00Z (0b6c…)", or what keeps it there.
Cell departed_sink_note(Json const& sink, Screen const& screen) {
  auto const field = [&](std::string_view key) { return text(sink, key, screen); };
  auto line = fmt::format("{} {}: ", field("type"), field("name"));
  auto const reference = field("reference").empty() ? "" : fmt::format(" ({})", field("reference"));
  if (auto const done = field("done"); !done.empty()) {
    auto const user = field("used-by").empty() ? "" : "; still used by " + field("used-by");
    return {fmt::format("{}{} {}{}{}", line, done == "absent" ? "was not there" : done, field("at"), reference, user),
            user.empty() ? Colour::plain : Colour::bad};
  }
  if (auto const user = field("used-by"); !user.empty()) {
    line += "still in use, " + user;
  } else if (auto const fault = field("fault"); !fault.empty()) {
    line += fmt::format("not done yet, {}: {}", fault, field("error"));
  } else {
    line += "not done yet";
  }
  return {line + reference, Colour::bad};
}

std::string dash_if_empty(std::string text) {
  return text.empty() ? "-" : text;
}

}  // namespace

std::string render_images(Json const& images, Screen const& screen) {
  std::vector<Row> rows;
  for (auto const& image : array(images)) {
    Row row{{{image_name(image, screen)},
             {text(image, "image-id", screen)},
             state_cell(image, screen),
             {text(image, "endorser", screen)}},
            {}};
    add_error(row, image, "", screen);
    rows.push_back(std::move(row));
  }
  return list({{"IMAGE", Align::left, true}, {"IMAGE ID"}, {"STATE"}, {"ENDORSER", Align::left, true}}, rows,
              "no catalogue that this host follows lists an image", screen);
}

std::string render_subscriptions(Json const& subscriptions, TimePoint now, Screen const& screen) {
  std::vector<Row> rows;
  for (auto const& one : array(subscriptions)) {
    Row row{{{dash_if_empty(text(one, "name", screen))},
             {text(one, "kind", screen)},
             {dash_if_empty(text(one, "epoch", screen))},
             {dash_if_empty(text(one, "serial", screen))},
             {until(one, "expires", now)},
             state_cell(one, screen),
             {text(one, "url", screen)}},
            {}};
    add_error(row, one, "", screen);
    rows.push_back(std::move(row));
  }
  return list({{"NAME", Align::left, true},
               {"KIND"},
               {"EPOCH", Align::right},
               {"SERIAL", Align::right},
               {"EXPIRES"},
               {"STATE"},
               {"URL", Align::left, true}},
              rows, "no subscription is configured", screen);
}

std::string render_peers(Json const& peers, Screen const& screen) {
  std::vector<Row> rows;
  for (auto const& peer : array(peers)) {
    rows.push_back({{{text(peer, "address", screen)},
                     {text(peer, "client", screen)},
                     {percent(peer, "progress")},
                     {rate(peer, "download-rate")},
                     {rate(peer, "upload-rate")},
                     {human(bytes(peer, "downloaded"))},
                     {human(bytes(peer, "uploaded"))}},
                    {}});
  }
  return list({{"ADDRESS"},
               {"CLIENT", Align::left, true},
               {"HAS", Align::right},
               {"DOWN", Align::right},
               {"UP", Align::right},
               {"RECEIVED", Align::right},
               {"SENT", Align::right}},
              rows, "no peer is connected for this image", screen);
}

std::string render_receipts(Json const& receipts, Screen const& screen) {
  std::vector<Row> rows;
  for (auto const& receipt : array(receipts)) {
    auto const field = [&](std::string_view key) { return text(receipt, key, screen); };
    bool const uploaded = member(receipt, "uploaded-here") == true;
    rows.push_back({{{field("image-id")}, {field("sink-type") + " " + field("sink")}, {field("at")}},
                    {{fmt::format("{} ({}, {})", field("reference"), human(bytes(receipt, "size")),
                                  uploaded ? "put there by this host" : "found there")},
                     {fmt::format("sha256 {}", field("content-sha256"))},
                     {fmt::format("{} serial {}, {}", field("catalogue"), field("serial"), field("approval"))},
                     {fmt::format("endorsed by {}", field("endorser"))}}});
  }
  return list({{"IMAGE ID"}, {"SINK", Align::left, true}, {"COMPARED AT"}}, rows, "no image is in a sink yet", screen);
}

std::string render_recalled(Json const& departures, Screen const& screen) {
  std::vector<Row> rows;
  for (auto const& departure : array(departures)) {
    auto const field = [&](std::string_view key) { return text(departure, key, screen); };
    auto const confirmed = field("confirmed");
    Row row{{{image_name(departure, screen)},
             state_cell(departure, screen),
             {field("since")},
             {confirmed.empty() ? "not yet" : confirmed, confirmed.empty() ? Colour::bad : Colour::good}},
            {{field("image-id")}, {field("reason")}}};
    auto const unseeded = field("unseeded");
    row.notes.push_back({unseeded.empty() ? "still in the swarm" : "not seeded here since " + unseeded});
    for (auto const& sink : items(departure, "sinks")) row.notes.push_back(departed_sink_note(sink, screen));
    rows.push_back(std::move(row));
  }
  return list({{"IMAGE", Align::left, true}, {"STATE"}, {"SINCE"}, {"CONFIRMED"}}, rows,
              "nothing that was here has been recalled or withdrawn", screen);
}

std::string render_hooks(Json const& hooks, Screen const& screen) {
  std::vector<Row> rows;
  for (auto const& hook : array(hooks)) {
    auto const waiting = text(hook, "waiting", screen);
    Row row{{{text(hook, "run", screen)},
             {waiting, waiting == "0" ? Colour::plain : Colour::bad},
             {dash_if_empty(text(hook, "oldest", screen))},
             {member(hook, "running") == true ? "yes" : "no"}},
            {}};
    add_error(row, hook, "", screen);
    rows.push_back(std::move(row));
  }
  return list({{"HOOK", Align::left, true}, {"WAITING", Align::right}, {"SINCE"}, {"RUNNING"}}, rows,
              "no hook is configured", screen);
}

std::string render_explain(Json const& images, Screen const& screen) {
  std::string page;
  for (auto const& image : array(images)) {
    auto const state = state_cell(image, screen);
    page +=
        wrapped(fmt::format("{} ({}) is {}", image_name(image, screen), text(image, "image-id", screen), state.text), 2,
                screen) +
        "\n";
    auto const from = text(image, "endorser", screen);
    if (!from.empty()) {
      page += wrapped(fmt::format("endorsed by {} in {}", from, text(image, "catalogue", screen)), 2, screen) + "\n";
    }
    if (auto const fault = text(image, "fault", screen); !fault.empty()) {
      page += coloured(wrapped(fmt::format("{}: {}", fault, text(image, "error", screen)), 2, screen), Colour::bad,
                       screen) +
              "\n";
    }
    for (auto const& reason : items(image, "reasons")) {
      bool const yes = member(reason, "yes") == true;
      auto const mark = screen.utf8 ? (yes ? "✓" : "✗") : (yes ? "yes" : "no ");
      auto const lines =
          wrapped(fmt::format("  {} {}: {}", mark, text(reason, "question", screen), text(reason, "answer", screen)),
                  screen.utf8 ? 4 : 6, screen);
      page += coloured(lines, yes ? Colour::good : Colour::bad, screen) + "\n";
    }
    if (items(image, "reasons").empty()) page += "  nothing was asked about it yet\n";
  }
  return page;
}

std::string limits_line(Json const& host) {
  return fmt::format("download limit {}, upload limit {}; outside the site {}, {}", limit_text(host, "download-limit"),
                     limit_text(host, "upload-limit"), limit_text(host, "far-download-limit"),
                     limit_text(host, "far-upload-limit"));
}

std::vector<std::string> render_missing(Json const& readiness, Screen const& screen) {
  std::vector<std::string> lines;
  auto const reason = text(readiness, "waiting-for", screen);
  if (reason == "first-round") lines.push_back("the first round since the start is not done");
  if (reason == "documents")
    lines.push_back("no subscription has given a document yet; see imageswarmctl subscriptions");
  for (auto const& image : items(readiness, "missing")) {
    auto line = fmt::format("{} ({}) is {}", image_name(image, screen), text(image, "image-id", screen),
                            text(image, "state", screen));
    if (member(image, "progress").is_number()) line += ", " + percent(image, "progress");
    for (auto const& sink : items(image, "sinks")) {
      if (text(sink, "state", screen) == "present") continue;
      line += fmt::format("; {} {}: {}", text(sink, "type", screen), text(sink, "name", screen),
                          text(sink, "state", screen));
      if (auto const fault = text(sink, "fault", screen); !fault.empty()) line += fmt::format(" ({})", fault);
    }
    if (auto const fault = text(image, "fault", screen); !fault.empty()) {
      line += fmt::format("; {}: {}", fault, text(image, "error", screen));
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace imageswarm::ctl
