// OpenCalls: the calls under way, so that none lasts for ever, whatever its caller does not send, read or want any
// more.
#pragma once

#include <grpcpp/support/server_interceptor.h>

#include <array>
#include <memory>
#include <mutex>

#include "base/time.h"
#include "env/clock.h"
#include "rpc/peer_limits.h"

namespace strife::rpc {

// Knows each call from the arrival of its first header on, long before it can be admitted. Thread-safe; must outlive
// the gRPC server.
class OpenCalls {
 public:
  OpenCalls(PeerLimits& limits, Clock& clock, Duration longest) : limits_(limits), clock_(clock), longest_(longest) {}

  // An interceptor that reports calls here.
  std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> Interceptors();

  // Ends the calls that have lasted too long. To be called now and then, by one thread at a time.
  void EndOverdue();

 private:
  class Call;
  class Factory;

  // Calls in the order of their beginning. Recursive, because to end a call may destroy it, or others, at once.
  struct Shard {
    std::recursive_mutex mutex;
    Call* oldest = nullptr;
    Call* newest = nullptr;
  };
  Shard& ShardOf(const Call* call);

  PeerLimits& limits_;
  Clock& clock_;
  const Duration longest_;
  std::array<Shard, 16> shards_;
};

}  // namespace strife::rpc
