// Amounts as people type them, and currency codes.
#include <array>

#include "base/money.h"
#include "fuzz.h"

namespace strife {
namespace {

// Exponents 0, 2 and 3.
constexpr std::array<std::string_view, 3> kCodes = {"JPY", "USD", "BHD"};

FUZZ_TARGET(amount) {
  fuzz::Input in(input);
  if (in.Byte() % 8 == 0) {
    const std::string_view code = in.Rest();
    const auto currency = Currency::Parse(code);
    if (currency) STRIFE_ASSERT(currency->code() == code && currency->exponent() >= 0 && currency->exponent() <= 4);
    return;
  }
  const Currency currency = *Currency::Parse(kCodes.at(in.Index(kCodes.size())));
  const std::string_view text = in.Rest();
  const auto amount = ParseAmount(text, currency);
  if (!amount) return fuzz::CheckMessage(amount.error().message);
  // Only digits and at most one point, so none of "-1", "1e9", "nan", " 1", "0x1".
  STRIFE_ASSERT(text.find_first_not_of("0123456789.") == std::string_view::npos);
  STRIFE_ASSERT(amount->minor_units >= 0 && amount->currency == currency);
  STRIFE_ASSERT(ParseAmount(FormatAmount(*amount), currency) == *amount);
}

}  // namespace
}  // namespace strife
