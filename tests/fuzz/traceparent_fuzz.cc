// traceparent, which anybody may send with a call, and a bank is sent with a command.
#include "fuzz.h"
#include "protocol/trace_context.h"

namespace strife::protocol {
namespace {

FUZZ_TARGET(traceparent) {
  const auto context = ParseTraceparent(input);
  if (!context) return;
  const std::string text = ToTraceparent(*context);
  STRIFE_ASSERT(text.size() == 55 && input.substr(3, 49) == std::string_view(text).substr(3, 49));
  STRIFE_ASSERT(ParseTraceparent(text) == context);
  STRIFE_ASSERT(TraceIdText(*context) == text.substr(3, 32));
  const TraceContext next = NextHop(*context, Uuid{{1}}, 7);
  STRIFE_ASSERT(next.trace_id == context->trace_id && ParseTraceparent(ToTraceparent(next)) == next);
}

}  // namespace
}  // namespace strife::protocol
