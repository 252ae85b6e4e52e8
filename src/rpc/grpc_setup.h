// Settings of the gRPC library that hold for the whole process.
#pragma once

namespace strife::rpc {

// Call before the first server or channel is made; again does nothing. Thread-safe.
void SetUpGrpc();

}  // namespace strife::rpc
