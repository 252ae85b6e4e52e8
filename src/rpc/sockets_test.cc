#include "rpc/sockets.h"

#include <gtest/gtest.h>

namespace strife::rpc {
namespace {

TEST(PeerNameTest, PeerName_Ipv4_IsAsGrpcHasIt) { EXPECT_EQ(PeerName("192.0.2.7:40312"), "192.0.2.7:40312"); }

TEST(PeerNameTest, PeerName_Ipv6_InAllItsSpellings_IsOne) {
  for (const char* text : {"%5B2001:db8::7%5D:40312", "[2001:db8::7]:40312", "[2001:0db8:0::7]:40312"}) {
    EXPECT_EQ(PeerName(text), "[2001:db8::7]:40312") << text;
  }
  EXPECT_EQ(PeerName("%5Bfe80::1%25eth0%5D:1"), "[fe80::1]:1");
  EXPECT_EQ(PeerName("%5B::ffff:192.0.2.7%5D:40312"), "192.0.2.7:40312");
}

TEST(PeerNameTest, PeerName_Nonsense_IsNobody) {
  for (const char* text : {"[", "%5B", "[]:1", "[x]:1", "%5B::1"}) EXPECT_EQ(PeerName(text), "") << text;
}

}  // namespace
}  // namespace strife::rpc
