// What failed logins from a network address are counted under.
#pragma once

#include <string>
#include <string_view>

namespace strife::gateway {

// Of a peer such as "192.0.2.7:40312" or "[2001:db8::7]:40312": the IPv4 address, or the first 64 bits of the IPv6
// address, which is what one subscriber has. Another text is returned as "other", so that nothing from outside becomes
// a key by itself.
std::string LoginAddress(std::string_view peer);

}  // namespace strife::gateway
