#include "daemon/sinks/glance_plan.hpp"

#include <catch2/catch.hpp>

#include "daemon/sinks/glance_record.hpp"

namespace imageswarm::sinks {
namespace {

using openstack::GlanceImage;
using std::chrono::seconds;
using Records = std::vector<GlanceImage>;

document::Image const& wanted() {
  static auto const image = [] {
    document::Image made;
    made.uuid = Uuid::parse("11111111-1111-4111-8111-111111111111").value();
    made.content_size = ByteCount{7};
    made.content_sha256 = digest_of<Sha256>("content");
    made.content_sha512 = digest_of<Sha512>("content");
    made.image_id = document::image_id_of(made.uuid, made.content_sha256);
    made.disk_format = "raw";
    return made;
  }();
  return image;
}

std::string id(unsigned attempt) {
  return attempt_id(wanted().image_id, attempt).text();
}

/// A record of the first attempt, made by this host "me", a second old.
struct Record {
  GlanceImage image;

  explicit Record(std::string status) {
    image.id = id(1);
    image.status = std::move(status);
    image.hidden = true;
    image.disk_format = "raw";
    image.container_format = "bare";
    image.updated = TimePoint{seconds{1'000'000}};
    image.seen = image.updated + seconds{1};
    image.properties = {{property::uploader, "me"}};
    if (image.status != "active" && image.status != "deactivated") return;
    image.size = wanted().content_size;
    image.hash_algorithm = "sha512";
    image.hash_value = wanted().content_sha512.hex();
  }
  Record by(std::string host) && { return image.properties[property::uploader] = std::move(host), std::move(*this); }
  Record old(seconds age) && { return image.seen = image.updated + age, std::move(*this); }
  Record attempt(unsigned n) && { return image.id = id(n), std::move(*this); }
  Record shown() && { return image.hidden = false, std::move(*this); }
  Record retired(std::string why) && { return image.properties[property::retired] = std::move(why), std::move(*this); }
  Record with_protection() && { return image.is_protected = true, std::move(*this); }
  Record with_id(std::string other) && { return image.id = std::move(other), std::move(*this); }
  Record hash(std::string algorithm, std::string value) && {
    image.hash_algorithm = std::move(algorithm);
    image.hash_value = std::move(value);
    return std::move(*this);
  }
  Record sized(std::uint64_t size) && { return image.size = ByteCount{size}, std::move(*this); }
  Record format(std::string format) && { return image.disk_format = std::move(format), std::move(*this); }
};

Decision step(std::vector<Record> const& records, std::string_view suspect = "") {
  Records images;
  for (auto const& record : records) images.push_back(record.image);
  return decide(images, wanted(), "me", suspect);
}

std::pair<Action, std::string> step_of(std::vector<Record> const& records, std::string_view suspect = "") {
  auto const decision = step(records, suspect);
  return {decision.action, decision.id};
}

auto does(Action action, unsigned attempt = 1) {
  return std::pair{action, id(attempt)};
}

auto const patience = saving_patience(wanted().content_size);

TEST_CASE("the first attempt is the image ID, the others are derived from it") {
  CHECK(attempt_id(wanted().image_id, 1) == wanted().image_id);
  CHECK(attempt_id(wanted().image_id, 2) == Uuid::named(wanted().image_id, "2"));
}

TEST_CASE("with nothing there, a record is made") {
  CHECK(step({}).action == Action::create);
}

TEST_CASE("a usable image is used, whoever made it") {
  CHECK(step_of({Record{"active"}.shown()}) == does(Action::use));
  CHECK(step_of({Record{"active"}.shown().by("other")}) == does(Action::use));
  CHECK(step_of({Record{"active"}.shown().hash("sha256", wanted().content_sha256.hex())}) == does(Action::use));
  CHECK(step_of({Record{"queued"}, Record{"active"}.shown().attempt(2)}) == does(Action::use, 2));
}

TEST_CASE("of two usable images the lower attempt stays and the other is hidden") {
  CHECK(step_of({Record{"active"}.shown().attempt(2), Record{"active"}.shown()}) == does(Action::hide, 2));
}

TEST_CASE("our own complete record is shown; another host's after a while") {
  CHECK(step_of({Record{"active"}}) == does(Action::show));
  CHECK(step_of({Record{"active"}.by("other").old(show_patience - seconds{1})}) == does(Action::wait));
  CHECK(step_of({Record{"active"}.by("other").old(show_patience)}) == does(Action::show));
}

TEST_CASE("what was retired comes back: superseded at once, for lack of trust only after half an hour") {
  CHECK(step_of({Record{"active"}.by("other").retired("superseded")}) == does(Action::show));
  for (auto const* why : {"recalled", "withdrawn", "not-approved", "expired", "a word of a newer version"}) {
    CHECK(step_of({Record{"active"}.retired(why)}) == does(Action::wait));
    CHECK(step({Record{"active"}.retired(why)}).fault == Fault::glance_conflict);
    CHECK(step_of({Record{"deactivated"}.retired(why).old(retired_patience - seconds{1})}) == does(Action::wait));
    CHECK(step_of({Record{"deactivated"}.retired(why).old(retired_patience)}) == does(Action::show));
  }
}

TEST_CASE("what somebody else deactivated stays so, and the operator is told") {
  auto const decision = step({Record{"deactivated"}.shown()});
  CHECK(decision.action == Action::refuse);
  CHECK(decision.fault == Fault::glance_forbidden);
  CHECK(step({Record{"deactivated"}.retired("")}).action == Action::refuse);
}

TEST_CASE("a queued record is filled by its host, and by another when that one seems dead") {
  CHECK(step_of({Record{"queued"}}) == does(Action::upload));
  CHECK(step_of({Record{"queued"}.by("other").old(queued_patience - seconds{1})}) == does(Action::wait));
  CHECK(step_of({Record{"queued"}.by("other").old(queued_patience)}) == does(Action::adopt));
  CHECK(step_of({Record{"queued"}.by("").old(queued_patience)}) == does(Action::adopt));
  CHECK(step_of({Record{"queued"}.format("qcow2")}) == does(Action::remove));
}

TEST_CASE("an upload of ours that we are not making is looked at twice, then it is a corpse") {
  CHECK(step_of({Record{"saving"}}) == does(Action::look_again));
  CHECK(step_of({Record{"saving"}}, id(2)) == does(Action::look_again));
  CHECK(step_of({Record{"saving"}}, id(1)) == does(Action::remove));
}

TEST_CASE("another host's upload is waited for as long as one may take") {
  for (auto const* status : {"saving", "uploading", "importing"}) {
    CHECK(step_of({Record{status}.by("other").old(patience - seconds{1})}) == does(Action::wait));
    CHECK(step_of({Record{status}.by("other").old(patience)}) == does(Action::remove));
  }
}

TEST_CASE("an upload has ten minutes, or as long as a megabyte a second takes") {
  CHECK(saving_patience(1_MiB) == seconds{660});
  CHECK(saving_patience(ByteCount{3'600'000'000}) == seconds{3660});
}

TEST_CASE("a record with other bytes goes, unless it is protected") {
  CHECK(step_of({Record{"active"}.shown().sized(0)}) == does(Action::remove));
  CHECK(step_of({Record{"active"}.shown().hash("sha512", "00")}) == does(Action::remove));
  CHECK(step_of({Record{"active"}.shown().hash("", "")}) == does(Action::remove));
  CHECK(step_of({Record{"active"}.shown().format("qcow2")}) == does(Action::remove));
  CHECK(step_of({Record{"killed"}}) == does(Action::remove));
  CHECK(step({Record{"active"}.sized(0).with_protection()}).action == Action::create);
  CHECK(step({Record{"deleted"}}).action == Action::create);
}

TEST_CASE("bytes that are there are shown before a lower attempt is filled") {
  CHECK(step_of({Record{"queued"}, Record{"active"}.attempt(2)}) == does(Action::show, 2));
}

TEST_CASE("of unfinished records the lowest attempt counts") {
  CHECK(step_of({Record{"queued"}.attempt(2), Record{"saving"}.by("other")}) == does(Action::wait, 1));
}

TEST_CASE("a hash that the catalogue does not have cannot be judged") {
  auto const decision = step({Record{"active"}.shown().hash("blake2b", "00")});
  CHECK(decision.action == Action::refuse);
  CHECK(decision.fault == Fault::glance_wrong_data);
  CHECK_THAT(decision.reason, Catch::Contains("blake2b") && Catch::Contains("hashing_algorithm"));
}

TEST_CASE("records that only carry our properties are nobody's business of ours") {
  auto const foreign = Uuid::random().text();
  CHECK(step({Record{"active"}.shown().sized(1).with_id(foreign)}).action == Action::create);
  CHECK(step({Record{"active"}.shown().with_id(foreign)}).action == Action::create);
  CHECK(step({Record{"saving"}.by("other").old(patience).with_id(foreign)}).action == Action::create);
  CHECK_FALSE(usable_of({Record{"active"}.shown().with_id(foreign).image}, wanted()));
}

TEST_CASE("only an active, shown record with the very bytes is usable") {
  CHECK(usable_of({Record{"active"}.shown().image}, wanted()));
  for (auto const& record :
       {Record{"active"}, Record{"deactivated"}.shown(), Record{"queued"}.shown(), Record{"active"}.shown().sized(0)}) {
    CHECK_FALSE(usable_of({record.image}, wanted()));
  }
}

}  // namespace
}  // namespace imageswarm::sinks
