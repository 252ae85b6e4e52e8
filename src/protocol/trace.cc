#include "protocol/trace.h"

#include <algorithm>
#include <limits>
#include <ranges>

#include "base/limits.h"

namespace strife::protocol {
namespace {

// The first byte: 0 nothing follows, 1 without and 2 with a context. Then steps: a byte of kind and flags, as the flags
// say a byte of leg and outcome, the beginning relative to the step before, the end relative to the beginning, count
// and epoch. A zero byte ends them; what follows is spare.
constexpr std::uint8_t kPlain = 1, kWithContext = 2;
constexpr std::uint8_t kKindMask = 0x1f, kHasUntil = 0x20, kHasDetail = 0x40, kHasNumbers = 0x80;
constexpr std::size_t kContextBytes = 25, kSpareStepBytes = 16;
constexpr std::int64_t kLastMicros = 253402300799999999;  // 9999-12-31

void PutVarint(std::uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}
void PutSigned(std::int64_t value, std::string& out) {
  PutVarint(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63), out);
}

// Reads from the front; what is not there or too large makes it bad for good.
struct Reader {
  std::string_view rest;
  bool bad = false;

  std::uint8_t Byte() {
    if (rest.empty()) {
      bad = true;
      return 0;
    }
    const auto byte = static_cast<std::uint8_t>(rest.front());
    rest.remove_prefix(1);
    return byte;
  }
  std::uint64_t Varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 63; shift += 7) {
      const std::uint8_t byte = Byte();
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    bad = true;
    return 0;
  }
  // A time so much after `base`, which is one itself.
  WallTime Time(WallTime base) {
    const std::uint64_t value = Varint();
    const auto delta = static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
    const std::int64_t from = base.time_since_epoch().count();
    if (delta < -from || delta > kLastMicros - from) bad = true;
    return bad ? base : base + Duration(delta);
  }
  template <std::size_t kSize>
  void Bytes(std::array<std::uint8_t, kSize>& out) {
    for (std::uint8_t& byte : out) byte = Byte();
  }
};

bool IsOnRecord(StepKind kind) {
  return kind == StepKind::kRecorded || kind == StepKind::kDecidedCommit || kind == StepKind::kDecidedAbort ||
         kind == StepKind::kLate || kind == StepKind::kCompleted;
}

std::optional<TraceContext> ReadContext(Reader& reader) {
  TraceContext context;
  reader.Bytes(context.trace_id);
  reader.Bytes(context.parent_id);
  const std::uint8_t flags = reader.Byte();
  if (flags > 1) reader.bad = true;
  context.sampled = flags == 1;
  return reader.bad ? std::nullopt : std::optional(context);
}

void PutStep(const TraceStep& step, WallTime& before, std::string& out) {
  const bool detail = step.leg != 0 || step.outcome;
  const bool numbers = step.count != 1 || step.epoch != 0;
  out += static_cast<char>(static_cast<std::uint8_t>(step.kind) | (step.until ? kHasUntil : 0) |
                           (detail ? kHasDetail : 0) | (numbers ? kHasNumbers : 0));
  if (detail) out += static_cast<char>(step.leg | (step.outcome ? static_cast<int>(*step.outcome) << 2 : 0));
  PutSigned((step.at - before).count(), out);
  if (step.until) PutSigned((*step.until - step.at).count(), out);
  if (numbers) {
    PutVarint(step.count, out);
    PutVarint(step.epoch, out);
  }
  before = step.at;
}

TraceStep ReadStep(std::uint8_t first, WallTime& before, Reader& reader) {
  TraceStep step;
  const auto kind = static_cast<std::uint8_t>(first & kKindMask);
  if (kind == 0 || kind > static_cast<std::uint8_t>(kLastStepKind)) {
    reader.bad = true;
    return step;
  }
  step.kind = static_cast<StepKind>(kind);
  if ((first & kHasDetail) != 0) {
    const std::uint8_t detail = reader.Byte();
    step.leg = detail & 3;
    const auto outcome = static_cast<std::uint8_t>(detail >> 2);
    if (step.leg > 2 || outcome > static_cast<std::uint8_t>(CommandOutcome::kMixedAcknowledged)) {
      reader.bad = true;
      return step;
    }
    if (outcome != 0) step.outcome = static_cast<CommandOutcome>(outcome);
  }
  step.at = reader.Time(before);
  if ((first & kHasUntil) != 0) step.until = reader.Time(step.at);
  if ((first & kHasNumbers) != 0) {
    const std::uint64_t count = reader.Varint();
    if (count > std::numeric_limits<std::uint32_t>::max()) reader.bad = true;
    step.count = static_cast<std::uint32_t>(count);
    step.epoch = reader.Varint();
  }
  before = step.at;
  return step;
}

}  // namespace

void Trace::Add(const TraceStep& step) {
  for (TraceStep& known : steps | std::views::reverse) {
    if (known.kind == StepKind::kTakenUp) break;
    if (known.kind != step.kind || known.leg != step.leg || known.outcome != step.outcome) continue;
    known.count += std::min(step.count, std::numeric_limits<std::uint32_t>::max() - known.count);
    known.until = step.until.value_or(step.at);
    return;
  }
  if (steps.size() >= limits::kMaxTraceSteps) {
    const auto middle = steps.begin() + limits::kMaxTraceSteps / 2;
    if (middle->kind != StepKind::kLeftOut) *middle = {.kind = StepKind::kLeftOut, .at = middle->at};
    const auto next = middle + 1;
    middle->count += next->count;
    middle->until = next->until.value_or(next->at);
    steps.erase(next);
  }
  steps.push_back(step);
}

void Trace::Durable(WallTime at) {
  for (TraceStep& step : steps | std::views::reverse) {
    if (step.kind == StepKind::kTakenUp) return;
    if (!IsOnRecord(step.kind)) continue;
    if (!step.until) step.until = at;
    return;
  }
}

std::string Trace::Encode(WallTime base, std::size_t ordinary_bytes) const {
  if (context) ordinary_bytes += kContextBytes;
  std::string out;
  out.reserve(ordinary_bytes + kSpareStepBytes);
  out += static_cast<char>(context ? kWithContext : kPlain);
  if (context) {
    out.append(context->trace_id.begin(), context->trace_id.end());
    out.append(context->parent_id.begin(), context->parent_id.end());
    out += static_cast<char>(context->sampled ? 1 : 0);
  }
  for (const TraceStep& step : steps) PutStep(step, base, out);
  const std::size_t over = out.size() <= ordinary_bytes ? 0 : out.size() - ordinary_bytes;
  out.resize(ordinary_bytes + (over + kSpareStepBytes - 1) / kSpareStepBytes * kSpareStepBytes);
  return out;
}

std::optional<Trace> Trace::Decode(std::string_view bytes, WallTime base) {
  Trace trace;
  if (bytes.empty()) return trace;
  if (bytes.size() > limits::kMaxTraceBytes) return std::nullopt;
  Reader reader{bytes};
  const std::uint8_t form = reader.Byte();
  if (form == 0) return trace;
  if (form == kWithContext) trace.context = ReadContext(reader);
  if (form > kWithContext) reader.bad = true;
  while (!reader.bad && !reader.rest.empty()) {
    const std::uint8_t first = reader.Byte();
    if (first == 0) break;
    trace.steps.push_back(ReadStep(first, base, reader));
    if (trace.steps.size() > limits::kMaxTraceSteps) reader.bad = true;
  }
  if (reader.bad) return std::nullopt;
  return trace;
}

std::optional<TraceContext> Trace::ContextOf(std::string_view bytes) {
  Reader reader{bytes};
  if (bytes.empty() || reader.Byte() != kWithContext) return std::nullopt;
  return ReadContext(reader);
}

}  // namespace strife::protocol
