#include "daemon/coordinator/deployments.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/file.hpp"
#include "common/base/log.hpp"
#include "common/base/pause.hpp"
#include "common/base/text.hpp"
#include "daemon/appliance/derive.hpp"
#include "daemon/control/find_image.hpp"

namespace imageswarm::coordinator {
namespace {

using state::ComponentState;
using SharedSink = std::shared_ptr<sinks::Sink>;

/// While another host, which deploys the same grid, uploads to the same Glance.
constexpr std::chrono::seconds busy_delay{2};

/// A file that goes with the last who needs it.
class Scratch {
public:
  explicit Scratch(std::filesystem::path path) : path_{std::move(path)} {}
  Scratch(Scratch const&) = delete;
  Scratch& operator=(Scratch const&) = delete;
  ~Scratch() {
    if (auto const removed = remove_file(path_); !removed) log_warning("{}", removed.error().line());
  }

private:
  std::filesystem::path path_;
};

Result<flow::Receipt> put_when_free(SharedSink const& sink, flow::Want const& want, flow::Artefact const& artefact,
                                    sinks::Sink::Progress const& progress, std::stop_token const& stop) {
  for (;;) {
    auto receipt = sink->put(want, artefact, progress, stop);
    if (receipt || receipt.error().fault != Fault::glance_busy) return receipt;
    if (!pause(busy_delay, stop)) return fail(Fault::cancelled, "stopped");
  }
}

state::DeployedComponent row_of(appliance::Component const& component) {
  return {.name = component.name,
          .image = component.image,
          .form = component.form == image::OvaOrder::Form::disk ? "disk" : "ova",
          .needs = component.needs,
          .progress = {},
          .derived_from = {}};
}

/// Nova's cache is looked after while an image is wanted, which what was made of one never is; and Nova boots from
/// Glance as well. Faults: config-value, a sink of this name is not configured or of that type.
Result<std::vector<SharedSink>> sinks_for(appliance::Component const& component, std::vector<SharedSink> const& all) {
  std::vector<SharedSink> fit;
  std::ranges::copy_if(all, std::back_inserter(fit), [](auto const& sink) { return sink->type() != "nova-cache"; });
  if (component.sinks.empty()) return fit;
  std::vector<SharedSink> chosen;
  for (auto const& name : component.sinks) {
    auto const sink = std::ranges::find_if(all, [&name](auto const& one) { return one->name() == name; });
    if (sink != all.end() && (*sink)->type() == "nova-cache") {
      return fail(Fault::config_value, "{} is for the sink {}, and appliances are not put into Nova's cache",
                  component.name, printable(name));
    }
    if (sink == all.end())
      return fail(Fault::config_value, "{} is for the sink {}, which this host does not have", component.name,
                  printable(name));
    chosen.push_back(*sink);
  }
  return chosen;
}

}  // namespace

struct Deployments::Prepared {
  flow::VerifiedArtefact artefact;
  flow::Want want;
  std::shared_ptr<Scratch> scratch;
};

struct Deployments::Put {
  SharedSink sink;
  Result<flow::Receipt> receipt;
};

void Deployments::configure(std::filesystem::path grids, std::filesystem::path const& store) {
  grids_ = std::move(grids);
  folder_ = store / "deploy";
  if (!running_.empty()) return;
  if (auto const cleaned = remove_temporaries(folder_); !cleaned) log_warning("{}", cleaned.error().line());
}

Result<> Deployments::start(std::string const& grid, bool only_show) {
  if (!running_.empty())
    return fail(Fault::exists, "the grid {} is being deployed; ask again when that is done", running_);
  deployments_.insert_or_assign(grid, state::Deployment{.grid = grid, .only_shown = only_show, .running = true});
  running_ = grid;
  around_.workers.run([grids = grids_, grid](std::stop_token const&) { return appliance::read_grid(grids, grid); },
                      [this](Result<appliance::Grid> read_grid) { read(std::move(read_grid)); });
  return {};
}

void Deployments::read(Result<appliance::Grid> grid) {
  auto& deployment = deployments_.at(running_);
  if (!grid) {
    deployment.error = std::move(grid.error());
    return finish();
  }
  components_ = std::move(grid->components);
  for (auto const& component : components_) deployment.components.push_back(row_of(component));
  if (deployment.only_shown) {
    look_at_images();
    return finish();
  }
  at_ = 0;
  next();
}

void Deployments::look_at_images() {
  for (at_ = 0; at_ < components_.size(); ++at_) {
    auto const source = source_of(components_[at_]);
    if (source) {
      row().derived_from = source->want.image.image_id;
    } else {
      row().error = source.error();
    }
  }
}

Result<Derivable> Deployments::source_of(appliance::Component const& component) const {
  auto const image = control::find_image(around_.board(), component.image);
  if (!image) return fail(image.error());
  return around_.images.derivable((*image)->image_id);
}

void Deployments::next() {
  if (at_ == components_.size()) return finish();
  auto source = source_of(components_[at_]);
  if (!source) return failed(source.error());
  prepare(components_[at_], std::move(*source));
}

void Deployments::prepare(appliance::Component const& component, Derivable source) {
  row().state = ComponentState::preparing;
  row().derived_from = source.want.image.image_id;
  moved_->store(0);
  to_move_ = source.want.image.content_size;
  auto name = running_ + "-" + component.name;
  auto file = folder_ / ("." + name + ".tmp");
  around_.workers.run(
      [component, source = std::move(source), name = std::move(name), file = std::move(file),
       moved = moved_](std::stop_token const& stop) -> Result<Prepared> {
        auto const artefact = flow::verify_artefact(source.artefact, source.want.image, stop);
        if (!artefact) return fail(artefact.error());
        auto files = appliance::files_of(component);
        if (!files) return fail(files.error());
        auto const scratch = std::make_shared<Scratch>(file);
        auto const made = appliance::derive(
            *artefact, {component.form, source.want.image.ovf_properties, component.values, std::move(*files)}, file,
            [&moved](ByteCount so_far) { moved->store(so_far.value); }, stop);
        if (!made) return fail(made.error());
        auto want = appliance::derived_want(source.want, name, *made);
        auto derived = flow::verify_artefact(file, want.image, stop);
        if (!derived) return fail(derived.error());
        return Prepared{std::move(*derived), std::move(want), scratch};
      },
      [this](Result<Prepared> prepared) {
        if (!prepared) return failed(std::move(prepared.error()));
        put(std::move(*prepared));
      });
}

/// What was made is written down first, so that it goes with its source, whatever becomes of us. The source may have
/// gone meanwhile.
void Deployments::put(Prepared prepared) {
  auto const& want = prepared.want;
  row().image_id = want.image.image_id;
  if (auto const source = around_.images.derivable(*want.derived_from); !source) return failed(source.error());
  auto sinks = sinks_for(components_[at_], around_.images.sinks());
  if (!sinks) return failed(std::move(sinks.error()));
  if (auto const held = around_.images.hold_derived(want); !held) return failed(held.error());
  row().state = ComponentState::registering;
  moved_->store(0);
  to_move_ = want.image.content_size;
  auto const made = want;  // `prepared` is moved away
  around_.workers.run(
      [prepared = std::move(prepared), sinks = std::move(*sinks), moved = moved_](std::stop_token const& stop) {
        std::vector<Put> puts;
        for (auto const& sink : sinks) {
          auto const progress = [&moved](ByteCount so_far) { moved->store(so_far.value); };
          puts.push_back({sink, put_when_free(sink, prepared.want, prepared.artefact, progress, stop)});
        }
        return puts;
      },
      [this, made](std::vector<Put> const& puts) { was_put(made, puts); });
}

void Deployments::was_put(flow::Want const& want, std::vector<Put> const& puts) {
  auto& component = row();
  std::optional<Error> trouble;
  for (auto const& [sink, receipt] : puts) {
    auto& shown = component.sinks.emplace_back(
        state::ComponentSink{.type = std::string{sink->type()}, .name = sink->name(), .reference = {}, .error = {}});
    auto const kept = receipt ? around_.images.record_derived(want, *receipt) : Result<>{fail(receipt.error())};
    if (receipt) shown.reference = receipt->reference;
    if (kept) continue;
    shown.error = kept.error();
    trouble = trouble.value_or(Error{kept.error()}.in(sink->name()));
  }
  if (trouble) return failed(std::move(*trouble));
  component.state = ComponentState::present;
  log_info("{}-{} is deployed: {}, made of {}", running_, component.name, component.image_id->text(),
           component.derived_from->text());
  ++at_;
  next();
}

void Deployments::failed(Error error) {
  log_warning("{}-{} is not deployed: {}", running_, row().name, error.line());
  row().state = ComponentState::failed;
  row().error = std::move(error);
  ++at_;
  next();
}

void Deployments::finish() {
  deployments_.at(running_).running = false;
  running_.clear();
  components_.clear();
}

std::vector<state::Deployment> Deployments::statuses() const {
  std::vector<state::Deployment> rows;
  for (auto const& [grid, deployment] : deployments_) {
    auto& shown = rows.emplace_back(deployment);
    for (auto& component : shown.components) {
      bool const is_moving =
          component.state == ComponentState::preparing || component.state == ComponentState::registering;
      if (!is_moving || to_move_.value == 0) continue;
      component.progress = std::min(1.0, static_cast<double>(moved_->load()) / static_cast<double>(to_move_.value));
    }
  }
  return rows;
}

}  // namespace imageswarm::coordinator
