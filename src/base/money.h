// Money: an amount in whole minor units of a currency. Never a floating point number, never silently overflowing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/currency.h"
#include "base/result.h"

namespace strife {

struct Money {
  std::int64_t minor_units = 0;
  Currency currency;

  bool operator==(const Money&) const = default;
};

// a + b, or nullopt when it does not fit.
std::optional<std::int64_t> CheckedAdd(std::int64_t a, std::int64_t b);
std::optional<std::int64_t> CheckedSubtract(std::int64_t a, std::int64_t b);

// "12.50" for 1250 USD; "-0.05"; no thousands separators, no currency.
std::string FormatAmount(const Money& money);

// Reads what a person types: digits, optionally a point and at most the currency's decimals. No sign, exponent, spaces,
// separators or text such as "nan"; the message of the error says what is wrong with it.
Result<Money> ParseAmount(std::string_view text, Currency currency);

}  // namespace strife
