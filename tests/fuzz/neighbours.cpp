#include "daemon/exchange/exchange.hpp"
#include "tests/fuzz/target.hpp"

namespace imageswarm {

/// What is read and written again is the same; and no message, wherever it comes in a conversation, does harm.
void fuzz::try_out(std::string_view input) {
  if (auto const message = exchange::decode(input)) demand(exchange::encode(*message) == input);

  exchange::Exchange host;
  auto const now = exchange::Exchange::Instant{} + std::chrono::hours{1};
  auto const bytes = std::make_shared<std::string const>(40'000, 'x');
  auto const digest = digest_of<Sha256>(*bytes);
  host.follow({{{}, 1, exchange::Claim{{}, 1, 1, digest, {bytes->size()}}, bytes}});
  host.join(1, "192.0.2.1");
  // In pieces, as one message may set the scene for the next.
  for (auto rest = input; !rest.empty() && host.receive(1, rest.substr(0, rest.size() / 2 + 1), now);
       rest.remove_prefix(rest.size() / 2 + 1)) {
    if (auto offer = host.best_offer({}, now)) (void)host.fetch(std::move(*offer), now);
    for (auto const& message : host.messages_for(1, now)) demand(exchange::decode(message).has_value());
    host.tick(now);
  }
}

}  // namespace imageswarm
