#include "http2/resolve.h"

#include <netdb.h>

#include <cstring>
#include <memory>
#include <thread>
#include <utility>

#include "base/host_port.h"

namespace strife::http2 {
namespace {

Result<std::vector<SocketAddress>> LookUp(const std::string& host, const std::string& port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0) {
    return Fail(ErrorCode::kUnavailable, "host " + host + ": " + gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    SocketAddress& address = addresses.emplace_back();
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    address.size = one->ai_addrlen;
  }
  return addresses;
}

}  // namespace

void Resolve(const std::string& address, std::function<void(Result<std::vector<SocketAddress>>)> done) {
  const auto parsed = ParseHostPort(address);
  if (!parsed) return done(Fail(ErrorCode::kInvalidInput, "\"" + address + "\" is not host:port"));
  const std::string port = std::to_string(parsed->port);
  auto numeric = LookUp(parsed->host, port, AI_NUMERICHOST);
  if (numeric) return done(std::move(numeric));
  // Nobody waits for it: a name server that does not answer can take a minute.
  std::thread([host = parsed->host, port, done = std::move(done)] { done(LookUp(host, port, 0)); }).detach();
}

}  // namespace strife::http2
