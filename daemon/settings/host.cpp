#include "daemon/settings/host.hpp"

#include <sys/utsname.h>

#include "common/base/file.hpp"
#include "common/base/text.hpp"

namespace imageswarm::settings {
namespace {

utsname kernel() {
  utsname names{};
  ::uname(&names);  // fails only for a bad pointer
  return names;
}

}  // namespace

std::string qualified(std::string_view short_name, std::string_view hosts) {
  for (auto line : split(hosts, '\n')) {
    std::string text{line.substr(0, line.find('#'))};
    for (char& c : text) c = c == '\t' ? ' ' : c;
    for (auto name : split(text, ' ')) {
      if (name.size() > short_name.size() + 1 && name.starts_with(short_name) && name[short_name.size()] == '.') {
        return std::string{name};
      }
    }
  }
  return std::string{short_name};
}

std::string host_name() {
  std::string const name = kernel().nodename;
  if (name.find('.') != std::string::npos) return name;
  return qualified(name, read_file("/etc/hosts", 1_MiB).value_or(""));
}

std::string architecture() {
  return kernel().machine;
}

}  // namespace imageswarm::settings
