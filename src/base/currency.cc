#include "base/currency.h"

#include <algorithm>

namespace strife {
namespace {

// ISO 4217 list one, without funds codes, precious metals and test codes, by number of decimals.
constexpr std::string_view kNoDecimals = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
constexpr std::string_view kThreeDecimals = "BHD IQD JOD KWD LYD OMR TND";
constexpr std::string_view kTwoDecimals =
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC "
    "CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD "
    "KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO "
    "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL "
    "THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW ZWG";

constexpr std::size_t CountOf(std::string_view table) { return (table.size() + 1) / 4; }
constexpr std::string_view CodeAt(std::string_view table, std::size_t index) { return table.substr(4 * index, 3); }

constexpr bool IsSorted(std::string_view table) {
  for (std::size_t i = 1; i < CountOf(table); ++i) {
    if (CodeAt(table, i - 1) >= CodeAt(table, i)) return false;
  }
  return true;
}
static_assert(IsSorted(kNoDecimals) && IsSorted(kThreeDecimals) && IsSorted(kTwoDecimals));

// By halving: every row that storage reads and every message has a currency.
bool Lists(std::string_view table, std::string_view code) {
  std::size_t low = 0;
  std::size_t high = CountOf(table);
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (CodeAt(table, middle) < code) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < CountOf(table) && CodeAt(table, low) == code;
}

}  // namespace

std::optional<Currency> Currency::Parse(std::string_view code) {
  if (code.size() != 3) return std::nullopt;
  Currency currency;
  if (Lists(kTwoDecimals, code)) {
    currency.exponent_ = 2;
  } else if (Lists(kNoDecimals, code)) {
    currency.exponent_ = 0;
  } else if (Lists(kThreeDecimals, code)) {
    currency.exponent_ = 3;
  } else {
    return std::nullopt;
  }
  std::copy(code.begin(), code.end(), currency.code_.begin());
  return currency;
}

}  // namespace strife
