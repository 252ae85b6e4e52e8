#include "server/startup.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/host_port.h"

namespace strife::server {
namespace {

Status TryBind(const addrinfo& target, const std::string& address) {
  const int fd = socket(target.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Fail(ErrorCode::kUnavailable, "cannot open a socket: " + std::string(std::strerror(errno)));
  const int on = 1;  // as http2::ListenOn: connections of an earlier process that linger are no obstacle
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const int bound = bind(fd, target.ai_addr, target.ai_addrlen);
  const int error = errno;
  close(fd);
  if (bound == 0) return {};
  if (error == EADDRINUSE) {
    return Fail(ErrorCode::kUnavailable,
                "cannot listen on " + address + ": the port is in use; stop the other process or change `listen`");
  }
  return Fail(ErrorCode::kInvalidInput, "cannot listen on " + address + ": " + std::strerror(error));
}

}  // namespace

Status CheckAddressFree(const std::string& address) {
  const auto target = ParseHostPort(address);
  if (!target) {
    return Fail(ErrorCode::kInvalidInput,
                "`listen` is \"" + address + "\" but must be host:port, the port from 0 to 65535");
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(target->host.c_str(), std::to_string(target->port).c_str(), &hints, &found);
      error != 0) {
    return Fail(ErrorCode::kInvalidInput, "cannot listen on " + address + ": " + gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  return TryBind(*found, address);
}

void WarnOfAnyOperator(Logger& log, const security::OperatorNames& operators) {
  if (operators) return;
  log.Write(LogLevel::kWarning,
            LogLine("any_operator")
                .Add("why",
                     "the configuration has no \"operators\", so every operator of the trust domain may do here "
                     "what operators may; name those who are to"));
}

}  // namespace strife::server
