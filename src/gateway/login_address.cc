#include "gateway/login_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace strife::gateway {
namespace {

std::string_view WithoutBrackets(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host.substr(0, host.find('%'));  // the zone of a link-local address
}

}  // namespace

std::string LoginAddress(std::string_view peer) {
  std::string host(WithoutBrackets(peer.substr(0, peer.rfind(':'))));
  std::array<unsigned char, 16> bytes{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_pton(AF_INET, host.c_str(), bytes.data()) == 1) return host;
  if (inet_pton(AF_INET6, host.c_str(), bytes.data()) != 1) return "other";
  in6_addr address;
  std::ranges::copy(bytes, address.s6_addr);
  if (IN6_IS_ADDR_V4MAPPED(&address)) return inet_ntop(AF_INET, &bytes[12], text.data(), text.size());
  std::fill(bytes.begin() + 8, bytes.end(), 0);
  return std::string(inet_ntop(AF_INET6, bytes.data(), text.data(), text.size())) + "/64";
}

}  // namespace strife::gateway
