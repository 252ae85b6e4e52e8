// Uuid: 128-bit identifier of transactions, stores and sessions (RFC 9562).
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace strife {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};  // network order, as in the text form

  // By words: that of the array calls memcmp, and every look into a map by id compares ids.
  bool operator==(const Uuid& other) const { return Word(0) == other.Word(0) && Word(8) == other.Word(8); }
  std::strong_ordering operator<=>(const Uuid& other) const {
    const auto high = BigEndian(Word(0)) <=> BigEndian(other.Word(0));
    return high != 0 ? high : BigEndian(Word(8)) <=> BigEndian(other.Word(8));
  }
  bool IsNil() const { return *this == Uuid{}; }

  // Canonical lower-case text, 36 characters.
  std::string ToString() const;

  // Accepts exactly the 8-4-4-4-12 hexadecimal form, either case; refuses the nil UUID, which stands for "none".
  static std::optional<Uuid> Parse(std::string_view text);

  // A time-ordered UUID, version 7: ids made later sort later, so inserts stay at the end of an index.
  // `unix_ms` is wall time; `random` must be fresh random bytes, of which version and variant bits are replaced.
  static Uuid MakeV7(std::int64_t unix_ms, std::array<std::uint8_t, 10> random);

  // Eight bytes as they lie, for whom the order of bytes does not matter.
  std::uint64_t Word(std::size_t offset) const {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + offset, sizeof word);
    return word;
  }

 private:
  static std::uint64_t BigEndian(std::uint64_t word) {
    return std::endian::native == std::endian::little ? std::byteswap(word) : word;
  }
};

}  // namespace strife

template <>
struct std::hash<strife::Uuid> {
  std::size_t operator()(const strife::Uuid& id) const noexcept {
    // Clients choose ids, so mix all bits: version 7 ids made together differ in few of them.
    std::uint64_t mixed = (id.Word(0) ^ (id.Word(8) * 0x9e3779b97f4a7c15ull)) * 0xbf58476d1ce4e5b9ull;
    return static_cast<std::size_t>(mixed ^ (mixed >> 29));
  }
};
