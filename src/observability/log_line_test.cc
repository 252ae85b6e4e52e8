#include "observability/log_line.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace strife
