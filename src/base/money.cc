#include "base/money.h"

#include "base/text.h"

namespace strife {

std::optional<std::int64_t> CheckedAdd(std::int64_t a, std::int64_t b) {
  std::int64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

std::optional<std::int64_t> CheckedSubtract(std::int64_t a, std::int64_t b) {
  std::int64_t difference;
  if (__builtin_sub_overflow(a, b, &difference)) return std::nullopt;
  return difference;
}

std::string FormatAmount(const Money& money) {
  const bool negative = money.minor_units < 0;
  // Negating in unsigned arithmetic keeps the most negative value right.
  std::uint64_t magnitude = static_cast<std::uint64_t>(money.minor_units);
  if (negative) magnitude = 0 - magnitude;
  std::string digits = std::to_string(magnitude);
  const auto decimals = static_cast<std::size_t>(money.currency.exponent());
  if (decimals > 0) {
    if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
    digits.insert(digits.size() - decimals, 1, '.');
  }
  return negative ? "-" + digits : digits;
}

Result<Money> ParseAmount(std::string_view text, Currency currency) {
  const auto invalid = [&](std::string_view why) {
    return Fail(ErrorCode::kInvalidInput, "amount \"" + Sanitize(text, 32) + "\" " + std::string(why));
  };
  const std::string_view not_a_number = "is not a plain decimal number such as 12.50";
  std::int64_t units = 0;
  int decimals = -1;  // -1 until the point
  bool any_digit = false;
  for (char c : text) {
    if (c == '.') {
      if (decimals >= 0 || !any_digit) return invalid(not_a_number);
      decimals = 0;
      continue;
    }
    if (c < '0' || c > '9') return invalid(not_a_number);
    if (decimals >= 0 && ++decimals > currency.exponent()) {
      return invalid("has more decimals than " + std::string(currency.code()) + " has (" +
                     std::to_string(currency.exponent()) + ")");
    }
    any_digit = true;
    if (__builtin_mul_overflow(units, std::int64_t{10}, &units) ||
        __builtin_add_overflow(units, std::int64_t{c - '0'}, &units)) {
      return invalid("is too large");
    }
  }
  if (!any_digit || decimals == 0) return invalid(not_a_number);
  for (int i = decimals < 0 ? 0 : decimals; i < currency.exponent(); ++i) {
    if (__builtin_mul_overflow(units, std::int64_t{10}, &units)) return invalid("is too large");
  }
  return Money{units, currency};
}

}  // namespace strife
