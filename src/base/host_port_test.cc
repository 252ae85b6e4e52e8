#include "base/host_port.h"

#include <gtest/gtest.h>

namespace strife {
namespace {

TEST(HostPortTest, Parse_HostAndPort) {
  EXPECT_EQ(ParseHostPort("bank1.example:50052"), (HostPort{"bank1.example", 50052}));
  EXPECT_EQ(ParseHostPort("[::1]:65535"), (HostPort{"::1", 65535}));
  EXPECT_EQ(ParseHostPort("127.0.0.1:0"), (HostPort{"127.0.0.1", 0}));
}

// getaddrinfo takes these, and what it makes of 99999 is 34463.
TEST(HostPortTest, Parse_RefusesWhatIsNoPort) {
  for (const char* text : {"", ":", "host", "host:", ":1", "[]:1", "host:65536", "host:99999", "host:4294967297",
                           "host: 1", "host:+1", "host:-1", "host:1 ", "host:0x1", "host:http"}) {
    EXPECT_EQ(ParseHostPort(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace strife
