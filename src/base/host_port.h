// HostPort: where a server listens or is reached, as "host:port".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace strife {

struct HostPort {
  std::string host;  // without the brackets of an IPv6 address; not empty
  std::uint16_t port = 0;

  bool operator==(const HostPort&) const = default;
};

// Nothing unless it is a host, a colon, and a whole number from 0 to 65535. Whether there is such a host is not asked.
std::optional<HostPort> ParseHostPort(std::string_view text);

}  // namespace strife
