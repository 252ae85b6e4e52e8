// What the door needs of sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace strife::rpc {

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

struct Peer {
  std::string name;     // with port, as PeerName
  std::string address;  // without; of IPv6 the first 64 bits, which is what one subscriber has
};
// Who is at the other end; empty when the connection is gone.
Peer PeerOf(int fd);

// A peer as gRPC has it, "127.0.0.1:40312" or "%5B::1%5D:40312", in the one way of Peer::name.
std::string PeerName(std::string_view grpc_peer);

// For a connection that is handed to gRPC.
void SetConnectionOptions(int fd);

// Whether what is written waits until it fills a segment; turned off, what waits goes out. The kernel waits for 200 ms
// at most.
void SetCork(int fd, bool on);

// Payload that the kernel has received on the connection so far.
std::uint64_t BytesReceived(int fd);

// Closes at once, without the kernel lingering over what was sent.
void Abort(Descriptor connection);

// Makes room for as many open files as the process may have; returns how many connections it can carry, at two each.
// kUnavailable when that is too few.
Result<std::size_t> ConnectionCapacity();

}  // namespace strife::rpc
