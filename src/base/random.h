// Random: chance that can be replayed. One seed gives one sequence, with every compiler and standard library.
//
// For simulations and load, never for secrets: whoever has seen a few numbers knows the rest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/time.h"
#include "base/uuid.h"

namespace strife {

// xoshiro256** (Blackman and Vigna, 2018), its state filled by splitmix64.
class Random {
 public:
  explicit Random(std::uint64_t seed) {
    for (std::uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15ull;
      std::uint64_t mixed = seed;
      mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ull;
      mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebull;
      word = mixed ^ (mixed >> 31);
    }
  }

  std::uint64_t Next() {
    const std::uint64_t result = RotateLeft(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = RotateLeft(state_[3], 45);
    return result;
  }

  // 0 … below-1; the bias is below 2^-32 for every `below` a simulation uses. REQUIRES: below > 0.
  std::uint64_t Draw(std::uint64_t below) {
    STRIFE_ASSERT(below > 0);
    return Next() % below;
  }
  // REQUIRES: low <= high.
  std::int64_t Between(std::int64_t low, std::int64_t high) {
    STRIFE_ASSERT(low <= high);
    return low + static_cast<std::int64_t>(Draw(static_cast<std::uint64_t>(high - low) + 1));
  }
  Duration Between(Duration low, Duration high) { return Duration(Between(low.count(), high.count())); }
  bool Chance(std::uint64_t per_mille) { return per_mille > 0 && Draw(1000) < per_mille; }

  Uuid MakeUuid() {
    Uuid id;
    for (std::size_t i = 0; i < 2; ++i) {
      const std::uint64_t bits = Next();
      for (std::size_t j = 0; j < 8; ++j) id.bytes[8 * i + j] = static_cast<std::uint8_t>(bits >> (8 * j));
    }
    return id;
  }

 private:
  static std::uint64_t RotateLeft(std::uint64_t value, int bits) { return (value << bits) | (value >> (64 - bits)); }

  std::array<std::uint64_t, 4> state_{};
};

}  // namespace strife
