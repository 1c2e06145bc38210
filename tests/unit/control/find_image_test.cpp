#include "daemon/control/find_image.hpp"

#include <catch2/catch.hpp>

#include "tests/support/made_up_board.hpp"

namespace imageswarm::control {
namespace {

using Catch::Matchers::Contains;
using state::ImageState;
using test::image;
using test::uuid;

state::Board board_of(std::vector<state::ImageStatus> images) {
  state::Board board;
  board.images = std::move(images);
  return board;
}

Uuid id_of(state::Board const& board, std::string_view text) {
  auto const found = find_image(board, text);
  REQUIRE(found);
  return (*found)->image_id;
}

TEST_CASE("an image is found by its ID, its family, its name and its name with a version") {
  auto const board =
      board_of({image('1', "debian", "1.9", ImageState::active), image('2', "debian", "1.10", ImageState::fetching),
                image('3', "rocky", "9", ImageState::active)});
  CHECK(id_of(board, uuid('1').text()) == uuid('1'));
  CHECK(id_of(board, board.images[0].uuid.text()) == uuid('2'));
  CHECK(id_of(board, "debian") == uuid('2'));
  CHECK(id_of(board, "debian@1.9") == uuid('1'));
  CHECK(id_of(board, "rocky") == uuid('3'));
}

TEST_CASE("a name means the newest version that was not taken back, as long as there is one") {
  auto const board =
      board_of({image('1', "debian", "1", ImageState::superseded), image('2', "debian", "2", ImageState::active),
                image('3', "debian", "3", ImageState::withdrawn), image('4', "rocky", "9", ImageState::recalled)});
  CHECK(id_of(board, "debian") == uuid('2'));
  CHECK(id_of(board, "debian@3") == uuid('3'));
  CHECK(id_of(board, "rocky") == uuid('4'));
}

TEST_CASE("an image that no catalogue has is not found, and the message names it") {
  auto const board = board_of({image('1', "debian", "1.9", ImageState::active)});
  for (auto const* text : {"fedora", "debian@2", "debian@", "@", "", "debian@x"}) {
    auto const found = find_image(board, text);
    REQUIRE_FALSE(found);
    CHECK(found.error().fault == Fault::not_found);
    CHECK_THAT(found.error().what, Contains(text));
  }
  CHECK_FALSE(find_image(board, uuid('7').text()));
}

TEST_CASE("a name that two families share is refused with the IDs to choose from") {
  auto other = image('2', "debian", "3", ImageState::active);
  other.endorser = "CN=Bob";
  auto const board = board_of({image('1', "debian", "2", ImageState::active), other});
  auto const found = find_image(board, "debian");
  REQUIRE_FALSE(found);
  CHECK(found.error().fault == Fault::usage);
  CHECK_THAT(found.error().what, Contains(uuid('1').text()) && Contains(uuid('2').text()));
  CHECK(id_of(board, "debian@3") == uuid('2'));
}

TEST_CASE("what is not for this host is not missing; what is under way or failed is") {
  auto active = image('1', "a", "1", ImageState::active);
  active.sinks = {{"directory", "/srv", state::SinkState::present, "/srv/a", std::nullopt}};
  auto half = image('2', "b", "1", ImageState::active);
  half.sinks = {active.sinks[0], {"glance", "mysite", state::SinkState::failed, "", std::nullopt}};
  auto const board =
      board_of({active, half, image('3', "c", "1", ImageState::failed), image('4', "d", "1", ImageState::not_selected),
                image('5', "e", "1", ImageState::not_approved), image('6', "f", "1", ImageState::superseded),
                image('7', "g", "1", ImageState::registering)});
  std::vector<Uuid> missing;
  for (auto const* one : missing_images(board)) missing.push_back(one->image_id);
  CHECK(missing == std::vector{uuid('2'), uuid('3'), uuid('7')});
  CHECK(is_ready(board.images[0]));
  CHECK_FALSE(is_ready(board.images[1]));
}

}  // namespace
}  // namespace imageswarm::control
