// One call on a connection of its own.
#pragma once

#include <expected>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "rpc/messages.h"

namespace strife::rpc {

template <typename Response>
using Asked = std::pair<http2::CallStatus, Response>;

// Connects and asks; or says why it could not connect, and then nothing was sent.
template <typename Response>
std::expected<Asked<Response>, std::string> AskOnce(http2::Target target, const char* path,
                                                    const google::protobuf::MessageLite& request,
                                                    MonotonicTime deadline) {
  QuietProtobuf();
  http2::Channel channel(std::move(target));
  const auto connected = std::make_shared<std::promise<std::optional<std::string>>>();
  auto failure = connected->get_future();
  channel.Connect([connected](const std::optional<std::string>& why_not) { connected->set_value(why_not); });
  if (failure.wait_for(deadline - DeadlineIn(Duration::zero())) != std::future_status::ready) {
    return std::unexpected("it does not answer");
  }
  if (auto why_not = failure.get()) return std::unexpected(*std::move(why_not));
  std::promise<Asked<Response>> promise;
  auto asked = promise.get_future();
  Call<Response>(channel, path, request, {deadline - DeadlineIn(Duration::zero())},
                 [&promise](const http2::CallStatus& status, Response& response) {
                   promise.set_value({status, std::move(response)});
                 });
  return asked.get();
}

}  // namespace strife::rpc
