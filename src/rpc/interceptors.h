// The gRPC interceptors: they watch calls and write logs, and decide nothing.
#pragma once

#include <grpcpp/support/server_interceptor.h>

#include <memory>
#include <vector>

#include "rpc/server.h"

namespace strife::rpc {

// Those that `options` has a log for: every RPC, RPCs about a transaction, bank registrations.
std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> LoggingInterceptors(
    const ServerOptions& options);

}  // namespace strife::rpc
