#include "indexer/commands/source.hpp"

#include <stop_token>

#include "common/base/file.hpp"
#include "common/document/model.hpp"
#include "common/http/client.hpp"

namespace imageswarm::commands {

bool is_url(std::string_view source) {
  return source.starts_with("http://") || source.starts_with("https://");
}

std::string shown_source(std::string const& source) {
  return is_url(source) ? http::shown(source) : source;
}

Result<std::string> read_source(std::string const& source) {
  if (!is_url(source)) return read_file(source, document::max_document_size);
  http::Request request;
  request.url = source;
  request.most = document::max_document_size;
  request.follow_redirects = true;
  auto answer = http::perform(request, std::stop_token{});
  if (!answer) return fail(std::move(answer.error()));
  if (answer->status != 200) {
    bool const is_gone = answer->status == 404 || answer->status == 410;
    return fail(is_gone ? Fault::not_found : Fault::http_status, "{} answered {}", http::shown(source), answer->status);
  }
  return std::move(answer->body);
}

}  // namespace imageswarm::commands
