#include "http2/sockets.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "base/host_port.h"
#include "base/limits.h"

namespace strife::http2 {
namespace {

constexpr int kBacklog = 1024;
constexpr unsigned kUserTimeoutMs = 20'000;  // data that is not acknowledged for so long ends the connection
constexpr std::size_t kFewestConnections = 16;

Result<Descriptor> ListenOn(const addrinfo& target, const std::string& address) {
  Descriptor fd(socket(target.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;  // connections of an earlier process that linger are no obstacle
  if (fd.get() >= 0) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (fd.get() >= 0 && bind(fd.get(), target.ai_addr, target.ai_addrlen) == 0 && listen(fd.get(), kBacklog) == 0) {
    return fd;
  }
  if (errno == EADDRINUSE) {
    return Fail(ErrorCode::kUnavailable,
                "cannot listen on " + address + ": the port is in use; stop the other process or change `listen`");
  }
  return Fail(ErrorCode::kInvalidInput, "cannot listen on " + address + ": " + std::strerror(errno));
}

std::string Text(int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return inet_ntop(family, address, text.data(), text.size());
}

// With IPv4 addresses as IPv4, however they came.
SocketPeer Describe(const in6_addr& address, std::string_view port) {
  std::array<unsigned char, 16> bytes{};
  std::ranges::copy(address.s6_addr, bytes.begin());
  SocketPeer peer;
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    peer.address = Text(AF_INET, &bytes[12]);
    peer.name = peer.address + ":";
  } else {
    peer.name = "[" + Text(AF_INET6, bytes.data()) + "]:";
    std::fill(bytes.begin() + 8, bytes.end(), 0);
    peer.address = Text(AF_INET6, bytes.data()) + "/64";
  }
  peer.name += port;
  return peer;
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

Result<std::vector<Descriptor>> ListenOn(const std::string& address) {
  const auto parsed = ParseHostPort(address);
  if (!parsed) {
    return Fail(ErrorCode::kInvalidInput,
                "`listen` is \"" + address + "\" but must be host:port, the port from 0 to 65535");
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(parsed->host.c_str(), std::to_string(parsed->port).c_str(), &hints, &found);
      error != 0) {
    return Fail(ErrorCode::kInvalidInput, "cannot listen on " + address + ": " + gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  std::vector<Descriptor> sockets;
  std::optional<Error> problem;
  for (const addrinfo* target = found; target != nullptr; target = target->ai_next) {
    if (auto socket = ListenOn(*target, address)) {
      sockets.push_back(*std::move(socket));
    } else if (!problem || socket.error().code == ErrorCode::kUnavailable) {
      problem = socket.error();
    }
  }
  // A name may have an address that this machine lacks, such as ::1 without IPv6. A port that another process has on
  // any of them is an accident.
  if (problem && (sockets.empty() || problem->code == ErrorCode::kUnavailable)) return std::unexpected(*problem);
  return sockets;
}

SocketPeer PeerOf(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 peer{};
    std::memcpy(&peer, &storage, sizeof peer);
    return Describe(peer.sin6_addr, std::to_string(ntohs(peer.sin6_port)));
  }
  if (storage.ss_family != AF_INET) return {};
  sockaddr_in peer{};
  std::memcpy(&peer, &storage, sizeof peer);
  const std::string address = Text(AF_INET, &peer.sin_addr);
  return {address + ":" + std::to_string(ntohs(peer.sin_port)), address};
}

void SetConnectionOptions(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeoutMs, sizeof kUserTimeoutMs);
}

std::uint64_t BytesReceived(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_bytes_received : 0;
}

void AbortWhenClosed(const Descriptor& connection) {
  const linger now{1, 0};
  setsockopt(connection.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

Result<std::size_t> ConnectionCapacity() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < files.rlim_max) {
    // No more than are needed: some libraries make tables of all there may be.
    const rlim_t wanted = limits::kMaxConnections + limits::kReservedDescriptors;
    files.rlim_cur = std::max(files.rlim_cur, std::min(files.rlim_max, wanted));
    setrlimit(RLIMIT_NOFILE, &files);
  }
  const std::size_t fewest = kFewestConnections + limits::kReservedDescriptors;
  if (files.rlim_cur < fewest) {
    return Fail(ErrorCode::kUnavailable, "this process may open " + std::to_string(files.rlim_cur) +
                                             " files and needs at least " + std::to_string(fewest) +
                                             "; raise the limit (ulimit -Hn, LimitNOFILE)");
  }
  return std::min<std::size_t>(limits::kMaxConnections, files.rlim_cur - limits::kReservedDescriptors);
}

}  // namespace strife::http2
