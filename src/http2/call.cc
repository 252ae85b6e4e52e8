#include "http2/call.h"

#include <algorithm>

#include "base/limits.h"
#include "http2/mailbox.h"

namespace strife::http2 {
namespace {

// A message of the largest size there may be is taken until half of the budget is in use.
constexpr std::size_t kShare = 32;

}  // namespace

bool RequestMemory::Take(std::size_t held, std::size_t more) {
  const std::size_t used = used_.fetch_add(more, std::memory_order_relaxed) - held;
  if (used + held + more <= budget_ && held + more <= (budget_ - used) / kShare) return true;
  used_.fetch_sub(more, std::memory_order_relaxed);
  return false;
}

std::optional<std::string_view> Call::Metadata(std::string_view name) const {
  std::optional<std::string_view> value;
  for (const auto& [key, text] : metadata_) {
    if (key != name) continue;
    if (value) return std::nullopt;
    value = text;
  }
  return value;
}

void Call::Send(std::string_view message) { mailbox_->Post({shared_from_this(), Framed(message), false}); }

void Call::Finish(std::string framed_message) { mailbox_->Post({shared_from_this(), std::move(framed_message)}); }

void Call::Fail(CallStatus status) { mailbox_->Post({shared_from_this(), {}, true, std::move(status)}); }

void WriteFramePrefix(char* to, std::size_t message_bytes) {
  to[0] = 0;
  for (int i = 0; i < 4; ++i) to[i + 1] = static_cast<char>(message_bytes >> (24 - 8 * i));
}

std::string Framed(std::string_view message) {
  std::string framed(kFramePrefixBytes, '\0');
  WriteFramePrefix(framed.data(), message.size());
  framed += message;
  return framed;
}

}  // namespace strife::http2
