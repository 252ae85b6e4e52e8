#include "cli/duration.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>

#include "base/text.h"
#include "runtime/system_clock.h"

namespace strife::cli {
namespace {

constexpr std::size_t kMaxShownBytes = 64;  // of what is refused

struct Unit {
  std::string_view suffix;
  std::int64_t microseconds;
};

constexpr std::array kUnits = {
    Unit{"us", 1},         Unit{"ms", 1'000},        Unit{"s", 1'000'000},
    Unit{"m", 60'000'000}, Unit{"h", 3'600'000'000}, Unit{"d", 86'400'000'000},
};

// Exactly `digits` decimal digits at `text[position]`.
std::optional<int> Digits(std::string_view text, std::size_t position, std::size_t digits) {
  if (text.size() < position + digits) return std::nullopt;
  int value = 0;
  for (char c : text.substr(position, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

// What a protobuf Timestamp can hold.
constexpr WallTime kFirstTime(std::chrono::sys_days(std::chrono::year(1) / 1 / 1).time_since_epoch());
constexpr WallTime kLastTime(std::chrono::sys_days(std::chrono::year(10000) / 1 / 1).time_since_epoch() - Duration(1));

std::optional<WallTime> ParseUtc(std::string_view text) {
  namespace chrono = std::chrono;
  auto year_value = Digits(text, 0, 4), month_value = Digits(text, 5, 2), day_value = Digits(text, 8, 2);
  if (!year_value || !month_value || !day_value || text[4] != '-' || text[7] != '-') return std::nullopt;
  const chrono::year_month_day date{chrono::year(*year_value), chrono::month(static_cast<unsigned>(*month_value)),
                                    chrono::day(static_cast<unsigned>(*day_value))};
  if (!date.ok()) return std::nullopt;
  Duration since_epoch = chrono::sys_days(date).time_since_epoch();
  if (text.size() == 10) return WallTime(since_epoch);
  auto hour_value = Digits(text, 11, 2), minute_value = Digits(text, 14, 2), second_value = Digits(text, 17, 2);
  bool shape = text.size() >= 20 && (text[10] == 'T' || text[10] == ' ') && text[13] == ':' && text[16] == ':' &&
               text.back() == 'Z';
  if (!shape || !hour_value || !minute_value || !second_value) return std::nullopt;
  if (*hour_value > 23 || *minute_value > 59 || *second_value > 59) return std::nullopt;
  since_epoch += chrono::hours(*hour_value) + chrono::minutes(*minute_value) + chrono::seconds(*second_value);
  std::string_view fraction = text.substr(19, text.size() - 20);
  if (fraction.empty()) return WallTime(since_epoch);
  if (fraction[0] != '.' || fraction.size() < 2 || fraction.size() > 7) return std::nullopt;
  auto digits = Digits(fraction, 1, fraction.size() - 1);
  if (!digits) return std::nullopt;
  std::int64_t fraction_us = *digits;
  for (std::size_t i = fraction.size() - 1; i < 6; ++i) fraction_us *= 10;
  return WallTime(since_epoch + chrono::microseconds(fraction_us));
}

}  // namespace

Result<Duration> ParseDuration(std::string_view text) {
  std::int64_t amount = 0;
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  std::string_view suffix = text.substr(static_cast<std::size_t>(rest - text.data()));
  if (error == std::errc() && amount >= 0) {
    for (const Unit& unit : kUnits) {
      if (suffix != unit.suffix) continue;
      if (amount > std::numeric_limits<std::int64_t>::max() / unit.microseconds / 2) break;
      return Duration(amount * unit.microseconds);
    }
  }
  return Fail(ErrorCode::kInvalidInput,
              "\"" + Sanitize(text, kMaxShownBytes) +
                  "\" is not a duration; write a whole number and a unit, such as 300ms, 5s or 5m");
}

Result<WallTime> ParseTime(std::string_view text, WallTime now) {
  auto time = ParseUtc(text);
  if (auto ago = ParseDuration(text); ago && !time) time = now - *ago;
  if (time && *time >= kFirstTime && *time <= kLastTime) return *time;
  if (time) {
    return Fail(ErrorCode::kInvalidInput,
                "\"" + Sanitize(text, kMaxShownBytes) + "\" is a time outside of the years 1 to 9999");
  }
  return Fail(ErrorCode::kInvalidInput, "\"" + Sanitize(text, kMaxShownBytes) +
                                            "\" is not a time; write 2026-03-01, 2026-03-01T12:30:00Z (UTC), or how "
                                            "long ago, such as 24h");
}

std::string FormatTime(WallTime time) {
  namespace chrono = std::chrono;
  const chrono::sys_time<chrono::milliseconds> moment(chrono::floor<chrono::milliseconds>(time.time_since_epoch()));
  const auto midnight = chrono::floor<chrono::days>(moment);
  const chrono::year_month_day date(midnight);
  const chrono::hh_mm_ss clock(moment - midnight);
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text.data();
}

}  // namespace strife::cli
