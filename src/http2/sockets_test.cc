#include "http2/sockets.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace strife::http2 {
namespace {

// A connection from this machine to itself: what each end is called by the other.
SocketPeer PeerOfConnectionTo(const std::string& listen) {
  const auto listeners = ListenOn(listen);
  EXPECT_TRUE(listeners) << listeners.error().message;
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(listeners->front().get(), reinterpret_cast<sockaddr*>(&address), &size);
  const Descriptor client(socket(address.ss_family, SOCK_STREAM, 0));
  EXPECT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  return PeerOf(client.get());
}

TEST(PeerOf, Ipv4_IsAddressAndPort) {
  const SocketPeer peer = PeerOfConnectionTo("127.0.0.1:0");
  EXPECT_EQ(peer.address, "127.0.0.1");
  EXPECT_TRUE(peer.name.starts_with("127.0.0.1:")) << peer.name;
}

TEST(PeerOf, Ipv6_IsBracketedAndCountedByItsFirstHalf) {
  const SocketPeer peer = PeerOfConnectionTo("[::1]:0");
  EXPECT_EQ(peer.address, "::/64");
  EXPECT_TRUE(peer.name.starts_with("[::1]:")) << peer.name;
}

TEST(PeerOf, NoConnection_IsNobody) {
  const Descriptor unconnected(socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_EQ(PeerOf(unconnected.get()).name, "");
}

}  // namespace
}  // namespace strife::http2
