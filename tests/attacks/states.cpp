// What a host is offered one after the other, with its real state on disk in between.
#include <chrono>
#include <optional>
#include <stdexcept>

#include "daemon/state/state.hpp"
#include "tests/attacks/attack.hpp"
#include "tests/attacks/host.hpp"

namespace imageswarm::attacks {
namespace {

using namespace std::chrono_literals;

/// The acceptance of a host without its network: verified against what its state remembers, then stored.
class Host {
public:
  Host() { restart(); }

  void restart() {
    state_.reset();
    auto opened = state::State::open(directory_ / "state.db");
    if (!opened) throw std::runtime_error{opened.error().line()};
    state_ = std::move(*opened);
  }

  std::string offer(std::string_view bytes) {
    trust::Time const time{now, std::max(state_->time_floor().value(), build_time())};
    auto const verified = trust::verify_catalogue(bytes, ca().anchors(), expected, state_->floors().value(), time);
    if (!verified) return outcome_of(verified);
    auto const& header = verified->content().header;
    auto kept = state_->accept({verified->key(), verified->floor(), url, std::string{bytes}, header.issued, now});
    return outcome_of(kept);
  }
  /// A catalogue of this epoch and serial, issued now.
  std::string offer(std::uint64_t epoch, std::uint64_t serial, std::string const& signer = "bob",
                    std::string const& content = "a") {
    return offer(document_of(epoch, serial, signer, content));
  }
  std::string document_of(std::uint64_t epoch, std::uint64_t serial, std::string const& signer = "bob",
                          std::string const& content = "a") const {
    auto catalogue = sample_catalogue();
    catalogue.header.epoch = epoch;
    catalogue.header.serial = serial;
    catalogue.header.name = expected.name.value_or("example");
    catalogue.header.issued = now;
    catalogue.header.expires = now + lifetime;
    catalogue.endorser.contact = content;
    return signed_by(signer, catalogue);
  }
  /// Something accepted on the way to the attack; anything else is a mistake of the test.
  template <class... What>
  Host& after(What&&... what) {
    if (auto const outcome = offer(std::forward<What>(what)...); outcome != "accepted")
      throw std::runtime_error{outcome};
    return *this;
  }
  Host& epoch(std::uint64_t number) {
    expected.epoch = number;
    return *this;
  }

  trust::Expectation expected = subscription();
  TimePoint now = ca().now();
  std::chrono::seconds lifetime = 24h;
  std::string url = "https://images.example.org/catalogue.yaml";

private:
  test::TemporaryDirectory directory_;
  std::optional<state::State> state_;
};

struct Row {
  char const* name;
  char const* expected;
  std::string (*play)(Host&);
};

constexpr std::uint64_t largest_step = 100'000'000;

std::vector<Row> const rows{
    {"first contact with any serial", "accepted", [](Host& h) { return h.offer(1, document::max_serial); }},
    {"the same bytes again", "accepted",
     [](Host& h) {
       auto const bytes = h.document_of(1, 7);
       return h.after(bytes).offer(bytes);
     }},
    {"the same body signed again", "accepted",
     [](Host& h) { return h.after(h.document_of(1, 7)).offer(h.document_of(1, 7)); }},
    {"the next serial", "accepted", [](Host& h) { return h.after(1, 7).offer(1, 8); }},
    {"serials left out", "accepted", [](Host& h) { return h.after(1, 7).offer(1, 1000); }},
    {"rollback by one", "serial-rollback", [](Host& h) { return h.after(1, 7).offer(1, 6); }},
    {"rollback to the first", "serial-rollback", [](Host& h) { return h.after(1, document::max_serial).offer(1, 1); }},
    {"rollback after a restart", "serial-rollback",
     [](Host& h) {
       h.after(1, 7).restart();
       return h.offer(1, 6);
     }},
    {"rollback to what was good between two", "serial-rollback",
     [](Host& h) { return h.after(1, 5).after(1, 6).after(1, 7).offer(1, 6); }},
    {"rollback by another mirror", "serial-rollback",
     [](Host& h) {
       h.after(1, 7).url = "https://mirror.example.org/catalogue.yaml";
       return h.offer(1, 6);
     }},
    {"the newest again after a rollback was refused", "accepted",
     [](Host& h) {
       h.after(1, 7).offer(1, 6);
       return h.offer(1, 7);
     }},
    {"other content under the same serial", "equivocation",
     [](Host& h) { return h.after(1, 7).offer(1, 7, "bob", "b"); }},
    {"other content under the same serial after a restart", "equivocation",
     [](Host& h) {
       h.after(1, 7).restart();
       return h.offer(1, 7, "bob", "b");
     }},
    {"the newest again after equivocation", "accepted",
     [](Host& h) {
       h.after(1, 7).offer(1, 7, "bob", "b");
       return h.offer(1, 7);
     }},
    {"equivocation again after equivocation", "equivocation",
     [](Host& h) {
       h.after(1, 7).offer(1, 7, "bob", "b");
       return h.offer(1, 7, "bob", "b");
     }},
    {"fast-forward by the largest step", "accepted", [](Host& h) { return h.after(1, 1).offer(1, 1 + largest_step); }},
    {"fast-forward by one more", "serial-jump", [](Host& h) { return h.after(1, 1).offer(1, 2 + largest_step); }},
    {"fast-forward to the end of the range", "serial-jump",
     [](Host& h) { return h.after(1, 1).offer(1, document::max_serial); }},
    {"the next serial after a fast-forward was refused", "accepted",
     [](Host& h) {
       h.after(1, 1).offer(1, document::max_serial);
       return h.offer(1, 2);
     }},
    {"an epoch that nobody configured", "doc-epoch", [](Host& h) { return h.after(1, 7).offer(2, 1); }},
    {"the old epoch after the new one was configured", "doc-epoch",
     [](Host& h) { return h.after(1, 7).epoch(2).offer(1, 8); }},
    {"serials afresh in the new epoch", "accepted",
     [](Host& h) { return h.after(1, document::max_serial).epoch(2).offer(2, 1); }},
    {"the old epoch again, configured back", "serial-rollback",
     [](Host& h) { return h.after(1, 7).epoch(2).after(2, 1).epoch(1).offer(1, 8); }},
    {"the old epoch at a host that demands none", "serial-rollback",
     [](Host& h) {
       h.after(1, 7).epoch(2).after(2, 1).expected.epoch.reset();
       return h.offer(1, 8);
     }},
    {"rollback inside of the new epoch", "serial-rollback",
     [](Host& h) { return h.after(1, 7).epoch(2).after(2, 5).offer(2, 4); }},
    {"another signer with serials of his own", "accepted", [](Host& h) { return h.after(1, 7).offer(1, 3, "ada"); }},
    {"rollback of the first signer after the second", "serial-rollback",
     [](Host& h) { return h.after(1, 7).after(1, 3, "ada").offer(1, 6); }},
    {"the same name from another CA with serials of its own", "accepted",
     [](Host& h) { return h.after(1, 7, "ada").offer(1, 3, "other-ada"); }},
    {"another document of the same signer", "doc-name",
     [](Host& h) {
       h.after(1, 7).expected.name = "other";
       auto const other = h.document_of(1, 8);
       h.expected.name = "example";
       return h.offer(other);
     }},
    {"freeze: the same document at the end of its life", "accepted",
     [](Host& h) {
       auto const bytes = h.document_of(1, 7);
       h.after(bytes).now += h.lifetime - 1s;
       return h.offer(bytes);
     }},
    {"freeze: the same document after the end of its life", "doc-expired",
     [](Host& h) {
       auto const bytes = h.document_of(1, 7);
       h.after(bytes).now += h.lifetime;
       return h.offer(bytes);
     }},
    {"replay of an expired document at a host that forgot", "doc-expired",
     [](Host& h) {
       auto const bytes = h.document_of(1, 7);
       h.now += h.lifetime;
       return h.offer(bytes);
     }},
    {"the clock set back by four minutes", "accepted",
     [](Host& h) {
       h.now += 10min;
       h.after(1, 7).now -= 4min;
       return h.offer(1, 8);
     }},
    {"the clock set back by an hour to revive what has expired", "clock-behind",
     [](Host& h) {
       h.lifetime = 30min;
       auto const old = h.document_of(1, 7);
       h.now += 1h;
       h.after(1, 8).now -= 1h;
       return h.offer(old);
     }},
    {"the clock set back over a restart", "clock-behind",
     [](Host& h) {
       h.after(1, 7).restart();
       h.now -= 1h;
       return h.offer(1, 8);
     }},
    {"the clock set right again", "accepted",
     [](Host& h) {
       h.after(1, 7).now -= 1h;
       h.offer(1, 8);
       h.now += 1h;
       return h.offer(1, 8);
     }},
    {"a clock of 1970", "clock-behind",
     [](Host& h) {
       auto const bytes = h.document_of(1, 7);
       h.now = TimePoint{};
       return h.offer(bytes);
     }},
    {"a refused document does not raise the floor", "accepted",
     [](Host& h) {
       h.after(1, 7).offer(1, 9, "site-security");
       return h.offer(1, 8);
     }},
};

}  // namespace

Table states() {
  ca();  // before there are children, which share it
  Table table;
  for (auto const& row : rows) {
    table.push_back({"state", row.name, row.expected, [&row] {
                       Host host;
                       return row.play(host);
                     }});
  }
  return table;
}

}  // namespace imageswarm::attacks
