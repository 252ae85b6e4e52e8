// What is noted of each call that has been answered: counted by method, and a line in the logs it belongs in.
#pragma once

#include <google/protobuf/message_lite.h>

#include "env/clock.h"
#include "http2/call.h"
#include "observability/log.h"
#include "rpc/call_stats.h"
#include "security/policy.h"

namespace strife::rpc {

// Any may be null: nothing is written there. All must outlive this. Thread-safe.
struct CallLog {
  Logger* rpc = nullptr;           // every call
  Logger* transactions = nullptr;  // calls about a transaction
  Logger* registrations = nullptr;
  CallStats* stats = nullptr;

  // `request` and `response` are the messages of the call's method; null when it had none.
  void Answered(const http2::Call& call, const security::MethodPolicy* policy, int code,
                const google::protobuf::MessageLite* request, const google::protobuf::MessageLite* response,
                Clock& clock) const;
};

}  // namespace strife::rpc
