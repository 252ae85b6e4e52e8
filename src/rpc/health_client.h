// Asks a server whether it is serving (grpc.health.v1.Health/Check).
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "security/certificate.h"
#include "security/credentials.h"

namespace strife::rpc {

// No error: the server at `endpoint` (host:port) has proved to be `expected` and says that it serves. kUnavailable
// otherwise, with what is wrong. One attempt; waits at most `timeout`.
Status CheckHealth(const std::string& endpoint, const security::Credentials& credentials,
                   const security::Identity& expected, Duration timeout);

}  // namespace strife::rpc
