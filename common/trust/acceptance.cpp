#include "common/trust/acceptance.hpp"

namespace imageswarm::trust {

Result<> check_clock(Time const& time) {
  if (time.now >= time.floor - clock_tolerance) return {};
  return fail(Fault::clock_behind, "this host's clock says {}, but it was {} already; set the clock",
              format_time(time.now), format_time(time.floor));
}

Result<> check_header(document::Header const& header, Expectation const& expected, TimePoint now) {
  if (expected.name && header.name != *expected.name) {
    return fail(Fault::doc_name, "its name is '{}', not '{}'", header.name, *expected.name);
  }
  if (expected.epoch && header.epoch != *expected.epoch) {
    return fail(Fault::doc_epoch, "its epoch is {}, not {}", header.epoch, *expected.epoch);
  }
  if (header.expires - header.issued > max_lifetime) {
    return fail(Fault::doc_field, "it would hold from {} to {}, longer than {} days", format_time(header.issued),
                format_time(header.expires), max_lifetime.count());
  }
  if (header.issued > now + clock_tolerance) {
    return fail(Fault::doc_future, "it is issued at {}, in the future", format_time(header.issued));
  }
  if (header.expires <= now) return fail(Fault::doc_expired, "it expired at {}", format_time(header.expires));
  return {};
}

Result<> check_serial(Floor const& document, Floor const& accepted) {
  if (document.epoch > accepted.epoch) return {};
  if (document.epoch < accepted.epoch) {
    return fail(Fault::serial_rollback, "epoch {} is lower than the accepted {}", document.epoch, accepted.epoch);
  }
  if (document.serial < accepted.serial) {
    return fail(Fault::serial_rollback, "serial {} is lower than the accepted {}", document.serial, accepted.serial);
  }
  if (document.serial == accepted.serial && document.digest != accepted.digest) {
    return fail(Fault::equivocation, "serial {} was accepted with other bytes", document.serial);
  }
  if (document.serial - accepted.serial > max_serial_jump) {
    return fail(Fault::serial_jump,
                "serial {} is more than {} above the accepted {}; a new epoch starts serials afresh", document.serial,
                max_serial_jump, accepted.serial);
  }
  return {};
}

}  // namespace imageswarm::trust
