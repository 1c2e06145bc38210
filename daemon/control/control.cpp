#include "daemon/control/control.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/base/text.hpp"
#include "daemon/control/board_json.hpp"
#include "daemon/control/find_image.hpp"

namespace imageswarm::control {
namespace {

using Json = nlohmann::ordered_json;
using Answer = Result<Json>;

/// One request, its target taken apart: /VERB or /VERB/ARGUMENT.
struct Call {
  std::string verb;
  std::string argument;
  std::string body;
  Commands& commands;

  state::Board const& board() const { return commands.board(); }
};

template <class T>
Json list_of(std::vector<T> const& items) {
  auto list = Json::array();
  for (auto const& item : items) list.push_back(to_json(item));
  return list;
}

Answer status(Call const& call) {
  return status_json(call.board());
}
Answer host(Call const& call) {
  return host_json(call.board());
}
Answer images(Call const& call) {
  return list_of(call.board().images);
}
Answer subscriptions(Call const& call) {
  return list_of(call.board().subscriptions);
}
Answer receipts(Call const& call) {
  return list_of(call.board().receipts);
}

Answer hooks(Call const& call) {
  return list_of(call.board().hooks);
}

Answer recalled(Call const& call) {
  return list_of(call.board().departures);
}

Answer peers(Call const& call) {
  auto const image = find_image(call.board(), call.argument);
  if (!image) return fail(image.error());
  auto const id = (*image)->image_id;  // a copy: asking for anything may make the board anew
  return list_of(call.commands.peers(id));
}

Answer explain(Call const& call) {
  auto const image = find_image(call.board(), call.argument);
  if (!image) return fail(image.error());
  return Json::array({explain_json(**image)});
}

/// `waiting_for` is null once nothing more has to come; then `count` images are in all their sinks.
Json readiness(char const* waiting_for, std::size_t count, std::vector<state::ImageStatus const*> const& missing) {
  auto images = Json::array();
  for (auto const* image : missing) images.push_back(to_json(*image));
  return {{"ready", waiting_for == nullptr},
          {"waiting-for", waiting_for == nullptr ? Json{} : Json(waiting_for)},
          {"count", count},
          {"missing", std::move(images)}};
}

/// Before the first round, or without a single accepted document, nobody knows what shall be here.
Json readiness_of_all(state::Board const& board) {
  auto const missing = missing_images(board);
  auto const count = static_cast<std::size_t>(std::ranges::count_if(board.images, is_ready));
  bool const documents = board.subscriptions.empty() ||
                         std::ranges::any_of(board.subscriptions, [](auto const& s) { return s.serial.has_value(); });
  return readiness(!board.first_round_done ? "first-round"
                   : !documents            ? "documents"
                   : !missing.empty()      ? "images"
                                           : nullptr,
                   count, missing);
}

Answer ready(Call const& call) {
  if (call.argument.empty()) return readiness_of_all(call.board());
  auto const image = find_image(call.board(), call.argument);
  if (!image) return fail(image.error());
  return is_ready(**image) ? readiness(nullptr, 1, {}) : readiness("images", 0, {*image});
}

Answer refresh(Call const& call) {
  call.commands.refresh();
  return host_json(call.board());
}
Answer pause(Call const& call) {
  call.commands.pause(true);
  return host_json(call.board());
}
Answer resume(Call const& call) {
  call.commands.pause(false);
  return host_json(call.board());
}

Answer confirm(Call const& call) {
  return call.commands.confirm(call.argument).map([&] { return host_json(call.board()); });
}

constexpr std::array<std::pair<std::string_view, Rate flow::HostRates::*>, 4> rate_keys{
    {{"download", &flow::HostRates::download_rate},
     {"upload", &flow::HostRates::upload_rate},
     {"far-download", &flow::HostRates::far_download_rate},
     {"far-upload", &flow::HostRates::far_upload_rate}}};

Result<> set_rate(flow::HostRates& rates, std::string const& key, Json const& value) {
  auto const* const known = std::ranges::find(rate_keys, key, [](auto const& pair) { return pair.first; });
  if (known == rate_keys.end()) {
    return fail(Fault::usage, "unknown key '{}'; known are download, upload, far-download and far-upload",
                printable(key));
  }
  if (!value.is_string()) return fail(Fault::usage, "'{}' is not a text like \"20MB/s\"", key);
  auto const rate = parse_rate(value.get<std::string>());
  if (!rate) return fail(Error{rate.error()}.in(key));
  rates.*known->second = *rate;
  return {};
}

/// Without a key nothing changes: the answer shows the limits as they are.
Answer limit(Call const& call) {
  auto const body = Json::parse(call.body, nullptr, false);
  if (!body.is_object()) return fail(Fault::usage, "the body is not a JSON object");
  auto rates = call.board().limits;
  for (auto const& [key, value] : body.items()) {
    if (auto set = set_rate(rates, key, value); !set) return fail(set.error());
  }
  if (!body.empty()) call.commands.limit(rates);
  return host_json(call.board());
}

Answer deployment(Call const& call) {
  auto const& rows = call.board().deployments;
  auto const row = std::ranges::find(rows, call.argument, &state::Deployment::grid);
  if (row == rows.end()) return fail(Fault::not_found, "nobody has asked for the grid '{}'", printable(call.argument));
  return to_json(*row);
}

/// The body is {} or {"show": true}.
Answer deploy(Call const& call) {
  auto const body = Json::parse(call.body, nullptr, false);
  bool const only_show = body.is_object() && body.value("show", Json{}) == true;
  return call.commands.deploy(call.argument, only_show).and_then([&] { return deployment(call); });
}

enum class Argument { none, optional, required };
struct Route {
  std::string_view method, verb;
  Argument argument;
  Answer (*answer)(Call const&);
};
constexpr std::array routes{
    Route{"GET", "status", Argument::none, status},
    Route{"GET", "host", Argument::none, host},
    Route{"GET", "images", Argument::none, images},
    Route{"GET", "subscriptions", Argument::none, subscriptions},
    Route{"GET", "receipts", Argument::none, receipts},
    Route{"GET", "peers", Argument::required, peers},
    Route{"GET", "recalled", Argument::none, recalled},
    Route{"GET", "explain", Argument::required, explain},
    Route{"GET", "ready", Argument::optional, ready},
    Route{"POST", "refresh", Argument::none, refresh},
    Route{"POST", "pause", Argument::none, pause},
    Route{"POST", "confirm", Argument::required, confirm},
    Route{"GET", "deploy", Argument::required, deployment},
    Route{"POST", "deploy", Argument::required, deploy},
    Route{"POST", "resume", Argument::none, resume},
    Route{"GET", "hooks", Argument::none, hooks},
    Route{"POST", "limit", Argument::none, limit},
};

/// "%20" and its like back to bytes; what is no such escape stays.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(&text[i + 1], &text[i + 3], byte, 16).ptr == &text[i + 3]) {
      plain += static_cast<char>(byte);
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

int status_of(Fault fault) {
  switch (fault) {
    case Fault::usage:
      return 400;
    case Fault::not_found:
      return 404;
    default:
      return 500;
  }
}

http::ServerResponse error_response(int status, Error const& error) {
  return {status, "application/json", dump({{"fault", word(error.fault)}, {"error", error.what}}) + "\n"};
}

bool fits(Route const& route, Call const& call) {
  if (route.verb != call.verb || (route.argument == Argument::required && call.argument.empty())) return false;
  return route.argument != Argument::none || call.argument.empty();
}

}  // namespace

http::ServerResponse handle(http::ServerRequest const& request, Commands& commands) {
  std::string_view path = request.target;
  path = path.substr(0, path.find('?'));
  if (path.starts_with('/')) path.remove_prefix(1);
  auto const slash = path.find('/');
  auto const argument = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  Call const call{std::string{path.substr(0, slash)}, unescaped(argument), request.body, commands};

  bool known = false;
  for (auto const& route : routes) {
    if (!fits(route, call)) continue;
    known = true;
    if (route.method != request.method) continue;
    auto const answer = route.answer(call);
    if (!answer) return error_response(status_of(answer.error().fault), answer.error());
    return {200, "application/json", dump(*answer) + "\n"};
  }
  auto const asked = printable(request.method + " " + request.target);
  if (known) return error_response(405, {Fault::usage, fmt::format("{}: not with this method", asked)});
  return error_response(404, {Fault::not_found, fmt::format("{}: there is no such thing here", asked)});
}

}  // namespace imageswarm::control
