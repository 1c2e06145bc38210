#include "common/image/inspector_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <vector>

#include "common/base/child.hpp"
#include "common/base/text.hpp"
#include "common/image/protocol.hpp"

namespace imageswarm::image {
namespace {

using namespace std::chrono_literals;

/// What is derived from an appliance may be larger by so much, beside what the order adds: by another OVF, another
/// manifest, and what fills up blocks.
constexpr ByteCount derived_excess = 4_MiB;

tl::unexpected<Error> crashed(std::string_view how) {
  return fail(Fault::inspector_crash, "the image inspector {}", how);
}

/// Words that only a hostile image or a broken helper can bring about.
bool may_say(Fault fault) {
  return word(fault).starts_with("image-") || fault == Fault::bomb || fault == Fault::disk_error ||
         fault == Fault::internal;
}

Result<Inspection> parse_image(std::string_view rest) {
  auto const parts = split(rest, ' ');
  if (parts.size() != 4) return crashed("talks nonsense");
  auto const format = std::ranges::find(accepted_formats, parts[0]);
  auto const container = std::ranges::find(accepted_containers, parts[1]);
  auto const size = parse_number(parts[2], 1, max_virtual_size.value);
  auto const partitions = std::ranges::find(partition_words, parts[3]);
  if (format == accepted_formats.end() || container == accepted_containers.end() || !size ||
      partitions == partition_words.end()) {
    return crashed("talks nonsense");
  }
  return Inspection{.disk_format = std::string{*format},
                    .container_format = std::string{*container},
                    .virtual_size = {*size},
                    .partitions = static_cast<Partitions>(partitions - partition_words.begin())};
}

Result<Error> parse_fault(std::string_view rest) {
  auto const blank = std::min(rest.find(' '), rest.size());
  auto const fault = fault_of(rest.substr(0, blank));
  if (!fault || !may_say(*fault) || blank == rest.size()) return crashed("talks nonsense");
  return Error{*fault, printable(rest.substr(blank + 1))};
}

/// The helper and what it says, with a clock that runs only while we wait for it.
class Dialogue {
public:
  [[nodiscard]] static Result<Dialogue> start(InspectorJob const& job, UniqueFd const& artefact, std::stop_token stop,
                                              bool wants_disk = false);

  /// The next line; one that names a fault is that fault.
  Result<VerdictLine> next_line() {
    for (;;) {
      if (auto const end = unread_.find('\n'); end != std::string::npos) {
        auto line = parse_verdict(std::string_view{unread_}.substr(0, end));
        unread_.erase(0, end + 1);
        if (line && line->fault) return fail(std::move(*line->fault));
        return line;
      }
      char buffer[max_verdict];
      auto const count = receive(verdicts_, std::as_writable_bytes(std::span{buffer}));
      if (!count) return fail(count.error());
      if (*count == 0) {
        auto const ended = reap();
        return ended ? crashed("ended without a verdict") : fail(ended.error());
      }
      said_ += *count;
      if (said_ > max_verdict) return crashed("talks too much");
      unread_.append(buffer, *count);
    }
  }

  /// After the last line: it says no more, and has ended well.
  Result<> finish() {
    std::byte more{};
    auto const count = unread_.empty() ? receive(verdicts_, {&more, 1}) : unread_.size();
    if (!count) return fail(count.error());
    return *count == 0 ? reap() : crashed("talks on after its end");
  }

  /// The next bytes of the content; empty at its end.
  Result<std::span<std::byte const>> next_piece() {
    auto const count = receive(content_, buffer_);
    if (!count) return fail(count.error());
    return std::span<std::byte const>{buffer_}.first(*count);
  }

  /// Fills `out` with content; false where it ends before the first byte of that.
  Result<bool> fill(std::span<std::byte> out) {
    for (std::size_t got = 0; got < out.size();) {
      auto const count = receive(content_, out.subspan(got));
      if (!count) return fail(count.error());
      if (*count == 0 && got == 0) return false;
      if (*count == 0) return crashed("sends half an answer");
      got += *count;
    }
    return true;
  }

private:
  Dialogue(Child child, UniqueFd verdicts, UniqueFd content, std::chrono::nanoseconds patience, std::stop_token stop)
      : child_{std::move(child)},
        verdicts_{std::move(verdicts)},
        content_{std::move(content)},
        patience_{patience},
        stop_{std::move(stop)} {}

  Result<std::size_t> receive(UniqueFd const& from, std::span<std::byte> into) {
    for (;;) {
      if (stop_.stop_requested()) return fail(Fault::cancelled, "the image inspection was stopped");
      auto const begin = std::chrono::steady_clock::now();
      pollfd ready{from.get(), POLLIN, 0};
      bool const any = ::poll(&ready, 1, 200) > 0;  // ms: how late a request to stop may be seen
      patience_ -= std::chrono::steady_clock::now() - begin;
      if (!any && patience_ <= 0s) return crashed("took too long");
      if (!any) continue;
      auto const count = ::read(from.get(), into.data(), into.size());
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) return fail(errno_error(errno, "reading from", "the image inspector"));
    }
  }

  /// It has closed its descriptors: did it end well?
  Result<> reap() {
    auto const status = child_.wait(stop_, 5s);
    if (!status && status.error().fault == Fault::cancelled) return fail(status.error());
    if (!status) return crashed("does not end");
    if (*status > 128) return crashed(fmt::format("was killed by signal {}", *status - 128));
    return *status == 0 ? Result<>{} : crashed(fmt::format("failed with status {}", *status));
  }

  Child child_;
  UniqueFd verdicts_, content_;
  std::chrono::nanoseconds patience_;
  std::stop_token stop_;
  std::string unread_;
  std::size_t said_ = 0;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(piece_size);
};

Result<Dialogue> Dialogue::start(InspectorJob const& job, UniqueFd const& artefact, std::stop_token stop,
                                 bool wants_disk) {
  auto verdicts = make_pipe();
  if (!verdicts) return fail(verdicts.error());
  auto content = make_pipe();
  if (!content) return fail(content.error());
  constexpr int pipe_size = 1 << 20;  // so that both sides work at once; without it we are only slower
  ::fcntl(content->second.get(), F_SETPIPE_SZ, pipe_size);
  auto const compression = compression_words[static_cast<std::size_t>(job.compression)];
  ChildCommand command{.argv = {job.program.string(), std::string{compression}, std::to_string(job.artefact_size.value),
                                std::to_string(job.content_size.value)},
                       .descriptors = {{artefact.get(), artefact_descriptor},
                                       {content->second.get(), content_descriptor},
                                       {verdicts->second.get(), verdict_descriptor}},
                       .environment = {}};
  auto const order = job.order.empty() ? Result<UniqueFd>{} : file_in_memory(job.order);
  if (!order) return fail(order.error());
  if (*order) {
    command.argv.emplace_back(derive_word);
    command.descriptors.emplace_back(order->get(), order_descriptor);
  }
  if (wants_disk) command.argv.emplace_back(disk_word);
  auto child = Child::start(command);
  if (!child) return fail(std::move(child.error()));
  // Our copies of the ends to write to go with the pairs, so that the pipes end when the helper does.
  return Dialogue{std::move(*child), std::move(verdicts->first), std::move(content->first), job.patience,
                  std::move(stop)};
}

Result<ByteCount> pump(Dialogue& dialogue, ByteCount promised, ContentSink const& sink) {
  ByteCount moved;
  for (;;) {
    auto const piece = dialogue.next_piece();
    if (!piece) return fail(piece.error());
    if (piece->empty()) return moved;
    moved += {piece->size()};
    if (moved > promised) return fail(Fault::bomb, "the content goes on after the promised {} bytes", promised.value);
    if (auto taken = sink(*piece); !taken) return fail(std::move(taken.error()));
  }
}

/// Nothing twice, nothing outside, and no more than was announced.
Result<> pump_disk(Dialogue& dialogue, ByteCount size, ByteCount announced, DiskSink const& sink) {
  std::vector<std::byte> buffer(piece_size);
  std::uint64_t at = 0, moved = 0;
  for (;;) {
    Extent extent;
    auto const any = dialogue.fill(std::as_writable_bytes(std::span{&extent, 1}));
    if (!any) return fail(any.error());
    if (!*any) return {};
    moved += extent.length;
    if (extent.length == 0 || extent.length > buffer.size() || extent.offset < at || extent.offset > size.value ||
        extent.length > size.value - extent.offset || moved > announced.value) {
      return crashed("talks nonsense");
    }
    auto const data = std::span{buffer}.first(extent.length);
    auto const got = dialogue.fill(data);
    if (!got) return fail(got.error());
    if (!*got) return crashed("sends half an answer");
    if (auto taken = sink(extent.offset, data); !taken) return taken;
    at = extent.offset + extent.length;
  }
}

}  // namespace

Result<VerdictLine> parse_verdict(std::string_view line) {
  constexpr std::string_view image = "image ", data = "data ", fault = "fault ";
  VerdictLine result;
  if (line.starts_with(image)) {
    auto found = parse_image(line.substr(image.size()));
    if (!found) return fail(found.error());
    result.image = std::move(*found);
  } else if (line.starts_with(data)) {
    auto const size = parse_number(line.substr(data.size()), 0, 2 * max_virtual_size.value);
    if (!size) return crashed("talks nonsense");
    result.data = ByteCount{*size};
  } else if (line.starts_with(fault)) {
    auto error = parse_fault(line.substr(fault.size()));
    if (!error) return fail(error.error());
    result.fault = std::move(*error);
  } else if (line != "end") {
    return crashed("talks nonsense");
  }
  return result;
}

Result<Inspection> run_inspector(InspectorJob const& job, UniqueFd const& artefact,
                                 std::function<Result<>(Inspection const&)> const& accept, ContentSink const& sink,
                                 std::stop_token const& stop) {
  auto dialogue = Dialogue::start(job, artefact, stop);
  if (!dialogue) return fail(std::move(dialogue.error()));
  auto const verdict = dialogue->next_line();
  if (!verdict) return fail(verdict.error());
  if (!verdict->image) return crashed("talks nonsense");
  if (auto const accepted = accept(*verdict->image); !accepted) return fail(accepted.error());

  bool const derives = !job.order.empty();
  bool const in_place = job.compression == document::Compression::none;
  auto const promised = derives    ? job.content_size + ByteCount{job.order.size()} + derived_excess
                        : in_place ? ByteCount{}
                                   : job.content_size;
  auto const moved = pump(*dialogue, promised, sink);
  if (!moved) return fail(moved.error());
  auto const last = dialogue->next_line();
  if (!last) return fail(last.error());
  if (last->image || last->data || (!derives && *moved != promised)) return crashed("talks nonsense");
  if (auto const ended = dialogue->finish(); !ended) return fail(ended.error());
  return *verdict->image;
}

Result<Inspection> run_disk_reader(InspectorJob const& job, UniqueFd const& image,
                                   std::function<Result<>(Inspection const&, ByteCount)> const& accept,
                                   DiskSink const& sink, std::stop_token const& stop) {
  auto dialogue = Dialogue::start(job, image, stop, true);
  if (!dialogue) return fail(std::move(dialogue.error()));
  auto const verdict = dialogue->next_line();
  if (!verdict) return fail(verdict.error());
  auto const data = dialogue->next_line();
  if (!data) return fail(data.error());
  if (!verdict->image || !data->data) return crashed("talks nonsense");
  if (auto const accepted = accept(*verdict->image, *data->data); !accepted) return fail(accepted.error());
  auto const moved = pump_disk(*dialogue, verdict->image->virtual_size, *data->data, sink);
  if (!moved) return fail(moved.error());
  auto const last = dialogue->next_line();
  if (!last) return fail(last.error());
  if (last->image || last->data) return crashed("talks nonsense");
  if (auto const ended = dialogue->finish(); !ended) return fail(ended.error());
  return *verdict->image;
}

}  // namespace imageswarm::image
