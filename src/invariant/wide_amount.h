// WideAmount: minor units summed over a whole history, in 128 bits, so that no sum of 64-bit amounts overflows.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace strife::invariant {

__extension__ using WideAmount = __int128;

// The nearest 64-bit number.
inline std::int64_t Saturate(WideAmount amount) {
  constexpr WideAmount kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr WideAmount kMost = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(amount < kLeast ? kLeast : amount > kMost ? kMost : amount);
}

inline std::string ToString(WideAmount amount) {
  if (amount == 0) return "0";
  const bool negative = amount < 0;
  std::string digits;
  for (; amount != 0; amount /= 10) {
    const int digit = static_cast<int>(amount % 10);
    digits.insert(digits.begin(), static_cast<char>('0' + (digit < 0 ? -digit : digit)));
  }
  return negative ? "-" + digits : digits;
}

}  // namespace strife::invariant
