#include "indexer/output.hpp"

#include <nlohmann/json.hpp>
#include <ostream>

namespace imageswarm::indexer {

void Output::words(std::string_view text) {
  (json_ ? err_ : out_) << text << std::flush;
}

void Output::result(nlohmann::ordered_json const& value) {
  if (json_) out_ << value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
}

void Output::failure(Error const& error) {
  bool const refused = class_of(error.fault) == FaultClass::refused;
  auto const about = refused ? fmt::format("refused {}: ", subject_.empty() ? "it" : subject_) : "";
  err_ << "imageswarm-index: " << about << error.line() << std::endl;
  result({{"fault", word(error.fault)}, {"error", error.what}});
}

void Output::missing(Error const& error) {
  err_ << "imageswarm-index: " << error.line() << std::endl;
  partly_done_ = true;
}

}  // namespace imageswarm::indexer
