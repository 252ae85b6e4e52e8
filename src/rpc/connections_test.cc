#include "rpc/connections.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "base/limits.h"

namespace strife::rpc {
namespace {

using http2::Descriptor;
using http2::ListenOn;
using http2::PeerOf;
using http2::SocketPeer;
using namespace std::chrono_literals;

// A connection over the loopback: the peer's end, and the server's.
struct Wire {
  Descriptor peer;
  Descriptor server;

  static Wire Make() {
    // One port for all: two connections to one port cannot come from the same port.
    static const auto listeners = ListenOn("127.0.0.1:0");
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    getsockname(listeners->front().get(), reinterpret_cast<sockaddr*>(&address), &size);
    Wire wire;
    wire.peer = Descriptor(socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_EQ(connect(wire.peer.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    wire.server = Descriptor(accept(listeners->front().get(), nullptr, nullptr));
    return wire;
  }

  // From the peer, taken by the server.
  void Send(std::size_t bytes) {
    std::vector<char> chunk(std::size_t{32} << 10);
    while (bytes > 0) {
      const ssize_t sent = send(peer.get(), chunk.data(), std::min(bytes, chunk.size()), MSG_NOSIGNAL);
      ASSERT_GT(sent, 0);
      ASSERT_EQ(recv(server.get(), chunk.data(), static_cast<std::size_t>(sent), MSG_WAITALL), sent);
      bytes -= static_cast<std::size_t>(sent);
    }
  }

  bool Ended() const {
    char byte = 0;
    return recv(peer.get(), &byte, 1, MSG_DONTWAIT) == 0;
  }
};

std::shared_ptr<const Descriptor> Dup(const Wire& wire) {
  return std::make_shared<const Descriptor>(dup(wire.server.get()));
}

class ConnectionsTest : public testing::Test {
 protected:
  // The peer's name.
  std::string Let(const Wire& wire) {
    const SocketPeer peer = PeerOf(wire.server.get());
    EXPECT_EQ(connections_.Arrive(peer, Dup(wire), now_), std::nullopt);
    return peer.name;
  }

  // How many addresses were told of.
  int Tick(Duration passed = 100ms) {
    int told = 0;
    now_ += passed;
    connections_.Tick(now_, [&](const std::string& address) {
      EXPECT_EQ(address, "127.0.0.1");
      ++told;
    });
    return told;
  }

  Connections connections_{limits::kMaxConnections};
  MonotonicTime now_{1h};
};

TEST_F(ConnectionsTest, Tick_MoreBytesThanCallsExplain_ClosesTheConnectionOnce) {
  Wire wire = Wire::Make();
  Let(wire);
  wire.Send(limits::kMaxUnexplainedBytes);
  EXPECT_EQ(Tick(), 0);
  EXPECT_FALSE(wire.Ended());
  wire.Send(limits::kMaxUnexplainedBytesPerSecond);
  EXPECT_EQ(Tick(), 1);
  EXPECT_TRUE(wire.Ended());
  EXPECT_EQ(Tick(), 0);
}

TEST_F(ConnectionsTest, Tick_BytesOfCalls_AreExplained) {
  Wire wire = Wire::Make();
  const std::string name = Let(wire);
  for (int i = 0; i < 4; ++i) {
    wire.Send(limits::kMaxUnexplainedBytes);
    connections_.Called(name, limits::kMaxUnexplainedBytes);
    EXPECT_EQ(Tick(), 0);
  }
}

TEST_F(ConnectionsTest, Tick_CallsAreNoCreditForLater) {
  Wire wire = Wire::Make();
  const std::string name = Let(wire);
  connections_.Called(name, 10 * limits::kMaxUnexplainedBytes);
  Tick();
  wire.Send(limits::kMaxUnexplainedBytes + limits::kMaxUnexplainedBytesPerSecond);
  EXPECT_EQ(Tick(), 1);
}

TEST_F(ConnectionsTest, Tick_OthersOfAnAddressThatHasSentTooMuch_StayWhenTheyHaveSentLittle) {
  Wire flood = Wire::Make(), honest = Wire::Make();
  Let(flood);
  Let(honest);
  honest.Send(limits::kMinUnexplainedBytesToClose - 1);
  flood.Send(limits::kMaxUnexplainedBytes + limits::kMaxUnexplainedBytesPerSecond);
  EXPECT_EQ(Tick(), 1);
  EXPECT_TRUE(flood.Ended());
  EXPECT_FALSE(honest.Ended());
}

TEST_F(ConnectionsTest, Arrive_ThoseThatHaveCalledOrAreOld_AreNotNewAnyMore) {
  std::vector<Wire> wires;
  for (std::size_t i = 0; i < limits::kMaxNewConnectionsPerAddress; ++i) Let(wires.emplace_back(Wire::Make()));
  const auto another = [&] {
    wires.push_back(Wire::Make());
    return connections_.Arrive(PeerOf(wires.back().server.get()), Dup(wires.back()), now_);
  };
  EXPECT_EQ(another(), ConnectionRefusal::kAddressNew);
  connections_.Called(PeerOf(wires.front().server.get()).name, 1);
  Tick();
  EXPECT_EQ(another(), std::nullopt);
  EXPECT_EQ(another(), ConnectionRefusal::kAddressNew);
  Tick(std::chrono::seconds(limits::kMaxHandshakeSeconds + 1));
  EXPECT_EQ(another(), std::nullopt);
}

TEST_F(ConnectionsTest, Leave_OfAnEarlierConnectionOfTheSameName_LeavesTheNewOne) {
  Wire wire = Wire::Make();
  const SocketPeer peer = PeerOf(wire.server.get());
  const auto earlier = Dup(wire), later = Dup(wire);
  EXPECT_EQ(connections_.Arrive(peer, earlier, now_), std::nullopt);
  EXPECT_EQ(connections_.Arrive(peer, later, now_), std::nullopt);
  EXPECT_EQ(connections_.count(), 1U);
  connections_.Leave(peer.name, *earlier, now_);
  EXPECT_EQ(connections_.count(), 1U);
  connections_.Leave(peer.name, *later, now_);
  EXPECT_EQ(connections_.count(), 0U);
}

TEST_F(ConnectionsTest, Close_EndsTheConnectionForBothSides) {
  Wire wire = Wire::Make();
  const std::string name = Let(wire);
  EXPECT_TRUE(connections_.Close(name, ClosedFor::kWastedCalls));
  EXPECT_TRUE(wire.Ended());
  EXPECT_FALSE(connections_.Close(name, ClosedFor::kWastedCalls));
  EXPECT_FALSE(connections_.Close("192.0.2.1:1", ClosedFor::kWastedCalls));
}

}  // namespace
}  // namespace strife::rpc
