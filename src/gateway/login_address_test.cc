#include "gateway/login_address.h"

#include <gtest/gtest.h>

namespace strife::gateway {
namespace {

TEST(LoginAddress, OfAnIpv4Peer_IsItsAddress) {
  EXPECT_EQ(LoginAddress("192.0.2.7:40312"), "192.0.2.7");
  EXPECT_EQ(LoginAddress("[::ffff:192.0.2.7]:1"), "192.0.2.7");
}

TEST(LoginAddress, OfAnIpv6Peer_IsItsNetwork) {
  EXPECT_EQ(LoginAddress("[2001:db8:1:2:3:4:5:6]:40312"), "2001:db8:1:2::/64");
  EXPECT_EQ(LoginAddress("[fe80::1%eth0]:5"), "fe80::/64");
}

TEST(LoginAddress, OfAnythingElse_IsOneForAll) {
  for (const char* peer : {"", ":", "unix:/tmp/x", "localhost:1", "1.2.3:4", "[]:1", "\n\n:1"}) {
    EXPECT_EQ(LoginAddress(peer), "other") << peer;
  }
}

}  // namespace
}  // namespace strife::gateway
