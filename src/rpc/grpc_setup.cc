#include "rpc/grpc_setup.h"

#include <absl/synchronization/mutex.h>
#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include <cstdlib>
#include <mutex>

namespace strife::rpc {

void SetUpGrpc() {
  static std::once_flag once;
  std::call_once(once, [] {
    // gRPC takes its ciphers from there, weak ones too, and nothing may turn a check off.
    ::unsetenv("GRPC_SSL_CIPHER_SUITES");
    // Debian builds Abseil with its deadlock detector on, which follows every lock gRPC takes: 1.5 % of a busy
    // gateway's samples were in it, for finding bugs that are not ours to find.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    // Protobuf prints a line for every string of a peer's that is not UTF-8: a flood past the log's limits.
    google::protobuf::SetLogHandler(nullptr);
  });
}

void QuietGrpc() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (std::getenv("GRPC_VERBOSITY") == nullptr) gpr_set_log_function([](gpr_log_func_args*) {});
  });
}

}  // namespace strife::rpc
