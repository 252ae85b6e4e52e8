// ClientCall: one gRPC call that this process makes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "http2/call.h"

namespace strife::http2 {

// What a call has come to: with code 0 there is a message.
struct Outcome {
  CallStatus status;
  std::string message;
};

struct ClientRequest {
  std::string path;                                             // "/strife.v1.Bank/ExecuteBatch"
  std::vector<std::pair<std::string, std::string>> metadata{};  // lower-case names
  std::string framed_message{};                                 // as Framed makes it
  MonotonicTime deadline{};                                     // then it has failed; and the server is told
};

class ChannelState;

// Made by Channel::Call, which also says from which thread `done` is called.
class ClientCall {
 public:
  ClientCall(ClientRequest request, std::move_only_function<void(Outcome)> done)
      : request_(std::move(request)), done_(std::move(done)) {}

 private:
  friend class ClientConnection;
  friend class ChannelState;

  // Nothing happens when it is over already.
  void Finish(Outcome outcome);
  void Fail(Code code, std::string message) { Finish({Failure(code, std::move(message)), {}}); }

  ClientRequest request_;
  ChannelState* channel_ = nullptr;              // that counts it, until it is over
  std::move_only_function<void(Outcome)> done_;  // null: it is over
  std::int32_t stream_ = 0;
  std::size_t sent_bytes_ = 0;  // of the message
  bool left_ = false;           // its headers are on their way
  int tries_ = 0;
  int http_status_ = 0;
  int grpc_status_ = -1;
  CallStatus status_;
  std::string encoding_;
  std::string body_;
};

}  // namespace strife::http2
