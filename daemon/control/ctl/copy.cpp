#include "daemon/control/ctl/copy.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/progress_bar.hpp"
#include "common/base/text.hpp"
#include "daemon/control/ctl/daemon.hpp"
#include "daemon/control/ctl/fields.hpp"
#include "daemon/copy/copy.hpp"

namespace imageswarm::ctl {
namespace {

using openstack::Data;
using openstack::Glance;
using openstack::GlanceImage;

std::optional<Data> data_from(Json const& receipt) {
  auto const hex = [&receipt](char const* key) { return member(receipt, key).get<std::string>(); };
  if (!member(receipt, "content-sha256").is_string() || !member(receipt, "content-sha512").is_string()) return {};
  auto const sha256 = Sha256::parse(hex("content-sha256"));
  auto const sha512 = Sha512::parse(hex("content-sha512"));
  if (!sha256 || !sha512) return {};
  return Data{bytes(receipt, "size"), *sha256, *sha512};
}

/// What an endorser signed of the image, if it is one of ours and this host has it in a sink.
std::optional<Data> promised_of(GlanceImage const& source, Daemon const& daemon) {
  auto const id = copy::image_id_of(source);
  if (!id) return {};
  auto const receipts = daemon.get("/receipts");
  if (!receipts) return {};
  auto const found = std::ranges::find_if(array(*receipts), [&id](Json const& receipt) {
    bool const is_as_signed = member(receipt, "sink-type") == "glance" || member(receipt, "sink-type") == "directory";
    return is_as_signed && member(receipt, "image-id") == id->text();
  });
  if (found == array(*receipts).end()) return {};
  return data_from(*found);
}

void tell(GlanceImage const& source, copy::Copied const& copied, bool as_signed, Options const& options) {
  auto const& target = copied.target;
  if (options.json) {
    Json const json{{"name", source.name},
                    {"size", target.size.value_or(ByteCount{}).value},
                    {"os-hash-algo", target.hash_algorithm},
                    {"os-hash-value", target.hash_value},
                    {"from", {{"cloud", options.from}, {"image", source.id}}},
                    {"to", {{"cloud", options.to}, {"image", target.id}}},
                    {"state", copied.was_there ? "was-there" : "copied"},
                    {"compared-with", as_signed ? "catalogue" : "glance"}};
    fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
    return;
  }
  fmt::print("{} ({}) {} cloud {} as {}; compared with {}\n", printable(source.name), source.id,
             copied.was_there ? "is already in" : "is now in", options.to, target.id,
             as_signed ? "what its endorser signed" : "what Glance says of it");
}

}  // namespace

Result<> copy_between_clouds(Options const& options) {
  auto const file = options.clouds_file.empty() ? openstack::usual_clouds_file() : options.clouds_file;
  auto from_cloud = openstack::load_cloud(file, options.from);
  if (!from_cloud) return fail(std::move(from_cloud.error()));
  auto to_cloud = openstack::load_cloud(file, options.to);
  if (!to_cloud) return fail(std::move(to_cloud.error()));
  Glance from{std::move(*from_cloud)}, to{std::move(*to_cloud)};
  std::stop_token const never;  // a signal ends this process, and the next one goes on
  auto const source = openstack::find_source(from, options.image, never);
  if (!source) return fail(source.error());
  auto const promised = promised_of(*source, Daemon{options.socket});
  ProgressBar bar{printable(source->name), source->size.value_or(ByteCount{})};
  auto const progress = [&bar](ByteCount sent) { bar.update(sent); };
  auto const copied = copy::copy_image(from, to, *source, promised, progress, never);
  if (!copied) return fail(copied.error());
  tell(*source, *copied, promised.has_value(), options);
  return {};
}

}  // namespace imageswarm::ctl
