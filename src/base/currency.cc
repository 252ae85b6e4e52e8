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

bool Lists(std::string_view table, std::string_view code) {
  for (std::size_t at = 0; at + 3 <= table.size(); at += 4) {
    if (table.substr(at, 3) == code) return true;
  }
  return false;
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
