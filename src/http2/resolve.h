// Names of hosts into addresses.
#pragma once

#include <sys/socket.h>

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace strife::http2 {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

// The addresses of host:port, at least one, or one sentence of what is wrong. `done` is called before it returns when
// the host is an address, otherwise from a thread of its own.
void Resolve(const std::string& address, std::function<void(Result<std::vector<SocketAddress>>)> done);

}  // namespace strife::http2
