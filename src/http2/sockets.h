// What a server needs of sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace strife::http2 {

// A file descriptor, closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();

  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// Non-blocking sockets that listen on each address of host:port. kInvalidInput: not an address; kUnavailable: in use.
Result<std::vector<Descriptor>> ListenOn(const std::string& address);

struct SocketPeer {
  std::string name;     // with port, "127.0.0.1:40312" or "[::1]:40312"
  std::string address;  // without; of IPv6 the first 64 bits, which is what one subscriber has
};
// Who is at the other end; empty when the connection is gone.
SocketPeer PeerOf(int fd);

void SetConnectionOptions(int fd);

// Payload that the kernel has received on the connection so far.
std::uint64_t BytesReceived(int fd);

// From now on its end is an abrupt one: the kernel does not linger over what was sent.
void AbortWhenClosed(const Descriptor& connection);

// Makes room for as many open files as the process may have; returns how many connections it can carry.
// kUnavailable when that is too few.
Result<std::size_t> ConnectionCapacity();

}  // namespace strife::http2
