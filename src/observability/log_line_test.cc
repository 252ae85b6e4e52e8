#include "observability/log_line.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <vector>

#include "base/random.h"
#include "base/text.h"

namespace strife {
namespace {

TEST(LogLine, WritesPairsInOrder) {
  const auto id = *Uuid::Parse("0192a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b");
  const auto line = LogLine("payment")
                        .Add("id", id)
                        .Add("peer", "ipv4:127.0.0.1:4711")
                        .Add(Money{1250, *Currency::Parse("USD")})
                        .Add("attempt", 2)
                        .Add("success", true)
                        .Add("took_us", std::chrono::milliseconds(3));
  EXPECT_EQ(line.text(),
            "event=payment id=0192a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b peer=ipv4:127.0.0.1:4711 amount=12.50 currency=USD "
            "attempt=2 success=true took_us=3000");
}

TEST(LogLine, QuotesWhatIsNotOneWord) {
  EXPECT_EQ(LogLine("e").Add("memo", "rent for May").text(), "event=e memo=\"rent for May\"");
  EXPECT_EQ(LogLine("e").Add("memo", "").text(), "event=e memo=\"\"");
  EXPECT_EQ(LogLine("e").Add("memo", "caf\xc3\xa9").text(), "event=e memo=\"caf\xc3\xa9\"");
}

TEST(LogLine, ValueCannotForgeALineOrAPair) {
  const auto line = LogLine("e").Add("memo", "x\" state=COMPLETED\n2026-01-01 INFO event=forged\\").Add("end", 1);
  EXPECT_EQ(line.text(), "event=e memo=\"x\\\" state=COMPLETED?2026-01-01 INFO event=forged\\\\\" end=1");
  EXPECT_EQ(LogLine("e").Add("k", "a=b").text(), "event=e k=\"a=b\"");
  EXPECT_EQ(LogLine("e").Add("k", "\x1b[31m\xff").text(), "event=e k=\"?[31m?\"");
}

TEST(LogLine, CutsLongValues) {
  const std::string text(LogLine("e").Add("k", std::string(10'000, 'a')).text());
  EXPECT_EQ(text, "event=e k=\"" + std::string(256, 'a') + "\"");
}

TEST(LogLine, WritesExtremeIntegers) {
  EXPECT_EQ(LogLine("e").Add("low", INT64_MIN).Add("high", UINT64_MAX).text(),
            "event=e low=-9223372036854775808 high=18446744073709551615");
}

// Bytes of every kind: whole lines of forgery, escapes, broken UTF-8, JSON and far too much of anything.
std::string Hostile(Random& random) {
  static const std::vector<std::string> kPieces = {"\n",
                                                   "\r\n",
                                                   "\x1b[2J",
                                                   "\x1b]0;x\x07",
                                                   "\"",
                                                   "\\",
                                                   "\\\"",
                                                   "{\"",
                                                   "\"}",
                                                   "=",
                                                   " state=COMPLETED ",
                                                   "\xff",
                                                   "\xc3",
                                                   "\xe2\x80\xa8",
                                                   "\xe2\x80\xae",
                                                   "\xf0\x9f\x92\xb8",
                                                   std::string(1, '\0'),
                                                   "\x1e",
                                                   "\x1f",
                                                   "\x1evx\x1f",
                                                   "\x7f",
                                                   "2026-01-01T00:00:00.000000Z CRITICAL event=forged",
                                                   std::string(5000, 'A')};
  std::string text;
  for (std::uint64_t i = random.Draw(6); i-- > 0;) text += kPieces[random.Draw(kPieces.size())];
  return text;
}

TEST(LogLine, AThousandHostileValues_LeaveEveryLineReadableInBothForms) {
  const std::regex text_form(R"re(event=e memo=(\S+|"(?:[^"\\]|\\["\\])*") end=1)re");
  Random random(1);
  for (int i = 0; i < 1000; ++i) {
    const std::string value = Hostile(random);
    const LogLine line = LogLine("e").Add("memo", value).Add("end", 1);
    const std::string text = line.text();
    EXPECT_TRUE(IsPrintableUtf8(text)) << text;
    EXPECT_TRUE(std::regex_match(text, text_form)) << text;
    std::string json = "{";
    line.AppendJson(json);
    json += '}';
    const auto parsed = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
    ASSERT_TRUE(parsed.is_object()) << json;
    EXPECT_EQ(parsed.size(), 3u) << json;
    EXPECT_EQ(parsed["memo"], Sanitize(value, 256));
    EXPECT_EQ(parsed["end"], 1);
  }
}

TEST(LogLine, JsonTypes_DoNotDependOnTheValue) {
  std::string json;
  LogLine("e")
      .Add("user", "123")
      .Add("n", 123)
      .Add("yes", true)
      .Add(Money{5, *Currency::Parse("USD")})
      .AppendJson(json);
  EXPECT_EQ(json, "\"event\":\"e\",\"user\":\"123\",\"n\":123,\"yes\":true,\"amount\":\"0.05\",\"currency\":\"USD\"");
}

}  // namespace
}  // namespace strife
