#include "daemon/control/ctl/commands.hpp"

#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "common/base/clock.hpp"
#include "daemon/control/ctl/copy.hpp"
#include "daemon/control/ctl/daemon.hpp"
#include "daemon/control/ctl/deploy.hpp"
#include "daemon/control/ctl/fields.hpp"
#include "daemon/control/ctl/ready.hpp"
#include "daemon/control/ctl/render.hpp"
#include "daemon/control/ctl/watch.hpp"

namespace imageswarm::ctl {
namespace {

void say(std::string const& text) {
  fmt::print("{}", text);
}

Result<std::string> status_page(Daemon const& daemon, Options const& options, Screen const& screen) {
  auto const status = daemon.get("/status");
  if (!status) return fail(status.error());
  if (options.json) return status->dump(options.watch ? -1 : 2) + "\n";
  auto const host = daemon.get("/host");
  if (!host) return fail(host.error());
  return render_status(*status, *host, SystemClock{}.now(), screen);
}

/// A daemon that goes away while it is watched is waited for: it may be restarted.
Result<> watch_status(Daemon const& daemon, Options const& options) {
  auto const first = status_page(daemon, options, {});
  if (!first) return fail(first.error());
  watch([&](Screen const& screen) {
    auto const page = status_page(daemon, options, screen);
    return page ? *page : wrapped(page.error().line(), 2, screen) + "\nstill trying\n";
  });
  return {};
}

Result<> status(Daemon const& daemon, Options const& options) {
  if (options.watch) return watch_status(daemon, options);
  auto const page = status_page(daemon, options, screen_of(STDOUT_FILENO));
  if (!page) return fail(page.error());
  say(*page);
  return {};
}

/// Shows an answer of the daemon as it is, or rendered.
Result<> show(Result<Json> const& answer, Options const& options,
              std::string (*render)(Json const&, Screen const& screen)) {
  if (!answer) return fail(answer.error());
  say(options.json ? answer->dump(2) + "\n" : render(*answer, screen_of(STDOUT_FILENO)));
  return {};
}

Result<> limit(Daemon const& daemon, Options const& options) {
  auto body = Json::object();
  for (auto const& [key, rate] : options.rates) body[key] = exact(rate);
  auto const host = daemon.post("/limit", body);
  if (!host) return fail(host.error());
  say(limits_line(*host) + "\n");
  return {};
}

Result<> act(Daemon const& daemon, std::string_view target, std::string_view done) {
  auto const answer = daemon.post(target, Json::object());
  if (!answer) return fail(answer.error());
  say(fmt::format("{}\n", done));
  return {};
}

std::string ready_line(Json const& answer, Options const& options) {
  if (!options.all) return options.image + " is in all its sinks\n";
  auto const count = bytes(answer, "count").value;
  if (count == 0) return "nothing is selected for this host\n";
  return fmt::format("{} image{} in all {} sinks\n", count, count == 1 ? " is" : "s are", count == 1 ? "its" : "their");
}

Result<> ready(Daemon const& daemon, Options const& options) {
  using namespace std::chrono;
  auto const target = options.all ? std::string{"/ready"} : "/ready/" + escaped(options.image);
  auto const end = options.timeout ? std::optional{steady_clock::now() + *options.timeout} : std::nullopt;
  auto const another_try = [&] {
    auto const next = steady_clock::now() + milliseconds{500};
    if (end && next > *end) return false;
    std::this_thread::sleep_until(next);
    return true;
  };
  auto const last = wait_until_ready([&] { return daemon.get(target); }, another_try);
  if (last && is_ready(*last)) {
    say(ready_line(*last, options));
    return {};
  }
  if (!last && last.error().fault != Fault::not_found) return fail(last.error());
  auto const waited = options.timeout.value_or(seconds{0}).count();
  if (!last) return fail(Fault::timeout, "not ready after {} s: {}", waited, last.error().what);
  auto const missing = render_missing(*last, screen_of(STDERR_FILENO));
  return fail(Fault::timeout, "not ready after {} s: {}", waited, fmt::join(missing, "\n  "));
}

Result<> answer(Daemon const& daemon, Options const& options) {
  auto const& verb = options.verb;
  auto const with_image = [&](std::string_view path) { return fmt::format("/{}/{}", path, escaped(options.image)); };
  if (verb == "status") return status(daemon, options);
  if (verb == "images") return show(daemon.get("/images"), options, render_images);
  if (verb == "subscriptions") {
    return show(daemon.get("/subscriptions"), options, [](Json const& answer, Screen const& screen) {
      return render_subscriptions(answer, SystemClock{}.now(), screen);
    });
  }
  if (verb == "receipts") return show(daemon.get("/receipts"), options, render_receipts);
  if (verb == "recalled") return show(daemon.get("/recalled"), options, render_recalled);
  if (verb == "hooks") return show(daemon.get("/hooks"), options, render_hooks);
  if (verb == "peers") return show(daemon.get(with_image("peers")), options, render_peers);
  if (verb == "explain") return show(daemon.get(with_image("explain")), options, render_explain);
  if (verb == "refresh") return act(daemon, "/refresh", "asking all sources now");
  if (verb == "pause") return act(daemon, "/pause", "transfers are paused; imageswarmctl resume goes on with them");
  if (verb == "resume") return act(daemon, "/resume", "transfers go on");
  if (verb == "confirm") {
    auto const done = fmt::format("{}: the version that was held back is accepted", options.document);
    return act(daemon, "/confirm/" + escaped(options.document), done);
  }
  if (verb == "limit") return limit(daemon, options);
  if (verb == "copy") return copy_between_clouds(options);
  return ready(daemon, options);
}

}  // namespace

Result<int> run(Options const& options) {
  Daemon const daemon{options.socket};
  if (options.verb == "deploy") return deploy(daemon, options);
  return answer(daemon, options).map([] { return 0; });
}

}  // namespace imageswarm::ctl
