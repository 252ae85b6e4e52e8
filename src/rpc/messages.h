// Protobuf messages as gRPC frames them, and calls by their messages.
#pragma once

#include <google/protobuf/arena.h>
#include <google/protobuf/message_lite.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http2/channel.h"

namespace strife::rpc {

// The message with gRPC's prefix.
inline std::string Framed(const google::protobuf::MessageLite& message) {
  const std::size_t size = message.ByteSizeLong();
  std::string framed(http2::kFramePrefixBytes + size, '\0');
  http2::WriteFramePrefix(framed.data(), size);
  message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(framed.data() + http2::kFramePrefixBytes));
  return framed;
}

// For the messages of one call: a message of many parts is one piece of memory instead of several for each part.
inline google::protobuf::ArenaOptions MessageArena() {
  google::protobuf::ArenaOptions options;
  options.start_block_size = std::size_t{1} << 10;
  options.max_block_size = std::size_t{64} << 10;
  return options;
}

// Protobuf prints a line for every string of a peer's that is not UTF-8: a flood past the log's limits. No more.
void QuietProtobuf();

struct CallOptions {
  Duration timeout;
  std::vector<std::pair<std::string, std::string>> metadata{};
};

inline MonotonicTime DeadlineIn(Duration timeout) {
  return MonotonicTime(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())) +
         timeout;
}

// `path`: "/strife.v1.Bank/GetBalance". `done(status, response)` is called exactly once, on the channels' thread; the
// response means something when the status is OK. An answer that cannot be read is kInternal.
template <typename Response, typename Finished>
std::shared_ptr<http2::ClientCall> Call(http2::Channel& channel, const std::string& path,
                                        const google::protobuf::MessageLite& request, const CallOptions& options,
                                        Finished done) {
  return channel.Call({.path = path,
                       .metadata = options.metadata,
                       .framed_message = Framed(request),
                       .deadline = DeadlineIn(options.timeout)},
                      [done = std::move(done)](http2::Outcome outcome) mutable {
                        google::protobuf::Arena arena(MessageArena());
                        auto& response = *google::protobuf::Arena::CreateMessage<Response>(&arena);
                        if (Is(outcome.status, http2::Code::kOk) && !response.ParseFromString(outcome.message)) {
                          outcome.status = http2::Failure(http2::Code::kInternal,
                                                          "the answer is not the message that this method gives");
                        }
                        done(std::as_const(outcome.status), response);
                      });
}

}  // namespace strife::rpc
