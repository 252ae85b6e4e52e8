#include "base/host_port.h"

#include <charconv>

namespace strife {

std::optional<HostPort> ParseHostPort(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string_view port = text.substr(colon + 1);
  HostPort parsed{std::string(host), 0};
  const auto [rest, error] = std::from_chars(port.data(), port.data() + port.size(), parsed.port);
  if (host.empty() || error != std::errc() || rest != port.data() + port.size()) return std::nullopt;
  return parsed;
}

}  // namespace strife
