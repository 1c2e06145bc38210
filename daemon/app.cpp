#include "daemon/app.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <systemd/sd-daemon.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "common/base/file.hpp"
#include "common/base/log.hpp"
#include "common/http/server.hpp"
#include "daemon/control/control.hpp"
#include "daemon/coordinator/coordinator.hpp"
#include "daemon/coordinator/workers.hpp"
#include "daemon/settings/load.hpp"
#include "daemon/sinks/sink.hpp"
#include "daemon/state/state.hpp"
#include "daemon/swarm/swarm.hpp"

namespace imageswarm::daemon {
namespace {

using Sinks = std::vector<std::shared_ptr<sinks::Sink>>;

constexpr unsigned worker_threads = 4;
constexpr unsigned document_threads = 2;
constexpr unsigned urgent_threads = 2;
constexpr unsigned ahead_threads = 2;  // each holds a draft or an upload open, and 150 MiB with its helper at most
constexpr unsigned retirement_threads = 4;
constexpr unsigned hook_threads = flow::max_hooks;
constexpr unsigned deployment_threads = 1;  // one appliance at a time on disk
constexpr std::uint32_t socket_mode = 0660;

Result<std::unique_ptr<sinks::Sink>> make_sink(flow::SinkSettings const& sink, flow::Settings const& settings) {
  if (sink.type == "glance") return sinks::make_glance_sink(sink, settings.host.name);
  if (sink.type == "nova-cache") return sinks::make_nova_cache_sink(sink);
  if (sink.type == "volume") return sinks::make_volume_sink(sink, settings.store.directory / "volumes");
  return sinks::make_directory_sink(sink);
}

Result<Sinks> make_sinks(flow::Settings const& settings) {
  Sinks made;
  for (auto const& sink : settings.sinks) {
    auto one = make_sink(sink, settings);
    if (!one) return fail(std::move(one.error()).in("sink " + sink.name));
    made.push_back(std::move(*one));
  }
  return made;
}

template <class T>
std::string counted(std::vector<T> const& things, std::string_view name) {
  return fmt::format("{} {}{}", things.size(), name, things.size() == 1 ? "" : "s");
}

/// One daemon per store: the lock is held as long as the descriptor is open.
Result<UniqueFd> lock_store(std::filesystem::path const& directory) {
  if (auto made = make_directories(directory); !made) return fail(std::move(made.error()));
  auto const file = directory / "lock";
  UniqueFd fd{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!fd) return fail(errno_error(errno, "opening", file));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(Fault::exists, "{} is in use by another imageswarmd; stop it or give this one its own store.directory",
                directory.native());
  }
  return fd;
}

/// The daemon, wired together from the top to the bottom; torn down in the opposite order.
class App {
public:
  App(Options options, flow::Settings settings, UniqueFd lock, state::State state)
      : options_{std::move(options)},
        settings_{std::move(settings)},
        lock_{std::move(lock)},
        state_{std::move(state)} {}

  Result<int> run() {
    auto sinks = make_sinks(settings_);
    if (!sinks) return fail(std::move(sinks.error()));
    auto swarm = swarm::Swarm::open(settings_.swarm, [this](swarm::Event event) {
      boost::asio::post(loop_, [this, event = std::move(event)] {
        if (coordinator_) coordinator_->on_swarm_event(event);
      });
    });
    if (!swarm) return fail(std::move(swarm.error()));
    swarm_ = std::move(*swarm);
    coordinator_ = std::make_unique<coordinator::Coordinator>(coordinator::Coordinator::Surroundings{
        loop_, workers_, document_workers_, urgent_workers_, ahead_workers_, retirement_workers_, hook_workers_,
        deployment_worker_, state_, *swarm_, swarm_->neighbours(), coordinator::read_clocks});
    if (auto served = serve(); !served) return fail(std::move(served.error()));
    clean_up(*sinks);
    if (auto done = coordinator_->configure(settings_, std::move(*sinks)); !done) return fail(std::move(done.error()));
    watch_signals();
    if (options_.once) run_once();
    report_to_systemd();
    log_info("imageswarmd {} on {}: {}, {}, store {}", IMAGESWARM_VERSION, settings_.host.name,
             counted(settings_.subscriptions, "subscription"), counted(settings_.sinks, "sink"),
             settings_.store.directory.native());
    loop_.run();
    return finish();
  }

private:
  Result<> serve() {
    auto const& control = settings_.control;
    auto socket = http::Server::on_unix_socket(
        loop_, control.socket, socket_mode,
        [this](http::ServerRequest const& request) { return control::handle(request, *coordinator_); });
    if (!socket) return fail(std::move(socket.error()).in("control.socket"));
    servers_.push_back(std::move(*socket));
    if (control.metrics.empty()) return {};
    auto metrics = http::Server::on_tcp(loop_, control.metrics, [this](http::ServerRequest const& request) {
      return control::handle_metrics(request, coordinator_->board());
    });
    if (!metrics) return fail(std::move(metrics.error()).in("control.metrics"));
    servers_.push_back(std::move(*metrics));
    return {};
  }

  void clean_up(Sinks const& sinks) {
    for (auto const& sink : sinks) {
      workers_.run([sink](std::stop_token const& stop) { return sink->clean_up(stop); },
                   [name = sink->name()](Result<> done) {
                     if (!done) log_warning("cleaning up {}: {}", name, done.error().line());
                   });
    }
  }

  void watch_signals() {
    signals_.async_wait([this](boost::system::error_code error, int signal) {
      if (error) return;
      if (signal != SIGHUP) return stop(fmt::format("signal {}", signal));
      reload();
      watch_signals();
    });
  }

  /// New settings take the place of the old ones only when all of them are good.
  void reload() {
    sd_notify(0, "RELOADING=1");
    if (auto done = try_reload(); !done) {
      log_error("the configuration was not reloaded, the old one stays in force: {}", done.error().line());
    } else {
      log_info("configuration reloaded");
    }
    sd_notify(0, "READY=1");
  }

  Result<> try_reload() {
    auto fresh = settings::load(options_.config);
    if (!fresh) return fail(std::move(fresh.error()));
    if (fresh->store.directory != settings_.store.directory || fresh->swarm.listen != settings_.swarm.listen ||
        fresh->swarm.ssl_port != settings_.swarm.ssl_port || fresh->control.socket != settings_.control.socket ||
        fresh->control.metrics != settings_.control.metrics) {
      return fail(Fault::config_value,
                  "store.directory, swarm.listen, swarm.ssl-port and control need a restart to change");
    }
    auto sinks = make_sinks(*fresh);
    if (!sinks) return fail(std::move(sinks.error()));
    if (auto applied = swarm_->apply(fresh->swarm); !applied) return applied;
    settings_ = std::move(*fresh);
    return coordinator_->configure(settings_, std::move(*sinks));
  }

  void run_once() {
    coordinator_->when_settled([this] { stop("the round is done"); });
    if (!options_.timeout) return;
    timeout_.expires_after(*options_.timeout);
    timeout_.async_wait([this](boost::system::error_code error) {
      if (!error) stop(fmt::format("the timeout of {} s is over", options_.timeout->count()));
    });
  }

  /// READY, the status line, and the watchdog's sign of life from the loop itself.
  void report_to_systemd() {
    sd_notify(0, "READY=1");
    std::uint64_t watchdog_us = 0;
    auto interval = std::chrono::microseconds{std::chrono::seconds{30}};
    if (sd_watchdog_enabled(0, &watchdog_us) > 0) {
      interval = std::min(interval, std::chrono::microseconds{watchdog_us / 3});
    }
    beat(interval);
  }

  void beat(std::chrono::microseconds interval) {
    sd_notifyf(0, "WATCHDOG=1\nSTATUS=%s", coordinator_->summary().c_str());
    heartbeat_.expires_after(interval);
    heartbeat_.async_wait([this, interval](boost::system::error_code error) {
      if (!error) beat(interval);
    });
  }

  void stop(std::string const& why) {
    log_info("stopping: {}", why);
    sd_notify(0, "STOPPING=1");
    loop_.stop();
  }

  int finish() {
    auto const verdict = options_.once ? coordinator_->verdict() : 0;
    if (options_.once) log_info("{}: {}", verdict == 0 ? "done" : "not everything is done", coordinator_->summary());
    servers_.clear();
    auto const pools = {&workers_,      &document_workers_, &urgent_workers_, &ahead_workers_, &retirement_workers_,
                        &hook_workers_, &deployment_worker_};
    for (auto* pool : pools) pool->request_stop();
    for (auto* pool : pools) pool->stop();
    swarm_.reset();
    return verdict;
  }

  Options options_;
  flow::Settings settings_;
  UniqueFd lock_;
  boost::asio::io_context loop_{1};
  boost::asio::signal_set signals_{loop_, SIGTERM, SIGINT, SIGHUP};
  boost::asio::steady_timer timeout_{loop_}, heartbeat_{loop_};
  state::State state_;
  std::unique_ptr<swarm::Swarm> swarm_;
  coordinator::Workers workers_{loop_, worker_threads};
  coordinator::Workers document_workers_{loop_, document_threads};
  coordinator::Workers urgent_workers_{loop_, urgent_threads};
  coordinator::Workers ahead_workers_{loop_, ahead_threads};
  coordinator::Workers retirement_workers_{loop_, retirement_threads};
  coordinator::Workers hook_workers_{loop_, hook_threads};
  coordinator::Workers deployment_worker_{loop_, deployment_threads};
  std::unique_ptr<coordinator::Coordinator> coordinator_;
  std::vector<http::Server> servers_;
};

Result<int> start(Options const& options) {
  auto settings = settings::load(options.config);
  if (!settings) return fail(std::move(settings.error()));
  if (options.check_config) {
    log_info("{} is fine: {}, {}", options.config.native(), counted(settings->subscriptions, "subscription"),
             counted(settings->sinks, "sink"));
    return 0;
  }
  auto lock = lock_store(settings->store.directory);
  if (!lock) return fail(std::move(lock.error()));
  auto state = state::State::open(settings->store.directory / "state.sqlite");
  if (!state) return fail(std::move(state.error()));
  App app{options, std::move(*settings), std::move(*lock), std::move(*state)};
  return app.run();
}

}  // namespace

int run(Options const& options) {
  std::signal(SIGPIPE, SIG_IGN);
  // The journal sets this when our stderr is its own.
  configure_log("imageswarmd", options.verbose ? LogLevel::debug : LogLevel::info,
                std::getenv("JOURNAL_STREAM") != nullptr);
  auto const status = start(options);
  if (status) return *status;
  log_error("{}", status.error().line());
  return exit_status(status.error().fault);
}

}  // namespace imageswarm::daemon
