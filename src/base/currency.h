// Currencies by ISO 4217: the alphabetic code and how many decimals its minor unit has.
#pragma once

#include <array>
#include <compare>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace strife {

// A currency that is in the table. Default-constructed it is "no currency" and only fit to be assigned to.
class Currency {
 public:
  Currency() = default;

  // Upper-case code of an active currency with a minor unit; nullopt for everything else.
  static std::optional<Currency> Parse(std::string_view code);

  std::string_view code() const { return {code_.data(), code_[0] == '\0' ? std::size_t{0} : std::size_t{3}}; }
  // Decimals of the minor unit: 2 for USD, 0 for JPY, 3 for BHD.
  int exponent() const { return exponent_; }

  auto operator<=>(const Currency&) const = default;

 private:
  std::array<char, 3> code_{};
  signed char exponent_ = 0;
};

}  // namespace strife
