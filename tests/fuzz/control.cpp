#include "daemon/control/control.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

namespace {

class NoCommands final : public control::Commands {
public:
  state::Board const& board() override { return board_; }
  void refresh() override {}
  void pause(bool) override {}
  Result<> confirm(std::string const&) override { return {}; }
  void limit(flow::HostRates const&) override {}
  Result<> deploy(std::string const&, bool) override { return {}; }
  std::vector<control::PeerRow> peers(Uuid const&) const override { return {}; }

private:
  state::Board board_;
};

}  // namespace

/// "METHOD TARGET", a line feed, the body.
void fuzz::try_out(std::string_view input) {
  auto const line = input.substr(0, input.find(10));
  auto const blank = std::min(line.find(32), line.size());
  http::ServerRequest request;
  request.method = line.substr(0, blank);
  request.target = line.substr(std::min(blank + 1, line.size()));
  request.body = input.substr(std::min(line.size() + 1, input.size()));
  NoCommands commands;
  auto const answer = control::handle(request, commands);
  demand(answer.status == 200 || answer.status >= 400);
}

}  // namespace imageswarm
