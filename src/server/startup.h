// What a server checks before it touches its store.
#pragma once

#include <string>

#include "base/result.h"
#include "observability/log.h"
#include "security/policy.h"

namespace strife::server {

// Whether `address` (host:port) can be listened on. Asked before a store is taken over: starting a server twice by
// accident must not disturb the one that runs. kInvalidInput: not an address; kUnavailable: in use.
Status CheckAddressFree(const std::string& address);

// One line of warning when the configuration names no operators: those of every bank may do here what operators may.
void WarnOfAnyOperator(Logger& log, const security::OperatorNames& operators);

}  // namespace strife::server
