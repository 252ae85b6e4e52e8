// Settings of the gRPC library that hold for the whole process.
#pragma once

namespace strife::rpc {

// Call before the first server or channel is made; again does nothing. Thread-safe.
void SetUpGrpc();

// For programs with a person before them: what the library writes to standard error for its own developers is left out,
// unless GRPC_VERBOSITY asks for it. Errors come back as statuses all the same. Thread-safe.
void QuietGrpc();

}  // namespace strife::rpc
