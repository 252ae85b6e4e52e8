// What a PEM file of certificates, revocation lists or requests says, for people and scripts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace strife::security {

using DescribedValue = std::variant<std::string, std::int64_t, bool, WallTime, std::vector<std::string>>;

// In the order in which people want to read it. The first field is "kind": "certificate", "ca", "revocation_list",
// "request" or "private_key", of which nothing else is told.
using Description = std::vector<std::pair<std::string, DescribedValue>>;

// One for each PEM block. It describes, it does not check: that somebody is who a certificate says is for Trust to
// find. kInvalidInput when there is no block, or one that cannot be read.
Result<std::vector<Description>> Describe(std::string_view pem, WallTime now);

}  // namespace strife::security
