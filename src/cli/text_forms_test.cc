#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/csv.h"
#include "cli/duration.h"
#include "cli/table.h"

namespace strife::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(DurationTest, Parse_WholeNumberAndUnit) {
  EXPECT_EQ(ParseDuration("300ms"), std::chrono::milliseconds(300));
  EXPECT_EQ(ParseDuration("5m"), std::chrono::minutes(5));
  EXPECT_EQ(ParseDuration("7d"), std::chrono::hours(168));
  EXPECT_EQ(ParseDuration("0s"), Duration::zero());
}

TEST(DurationTest, Parse_RefusesEverythingElse) {
  for (const char* text : {"", "5", "s", "-5s", "1.5s", "5 s", "5S", "9223372036854775807s", "99999999999d", "5ss"}) {
    EXPECT_FALSE(ParseDuration(text)) << text;
  }
}

TEST(TimeTest, ParseAndFormat_RoundTrip) {
  WallTime now{};
  for (const char* text : {"2026-03-01T12:30:05.250Z", "1999-12-31T23:59:59.000Z"}) {
    auto time = ParseTime(text, now);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(FormatTime(*time), text);
  }
  EXPECT_EQ(FormatTime(*ParseTime("2026-03-01", now)), "2026-03-01T00:00:00.000Z");
}

TEST(TimeTest, Parse_DurationMeansAgo) {
  WallTime now(std::chrono::hours(100));
  EXPECT_EQ(*ParseTime("24h", now), WallTime(std::chrono::hours(76)));
}

TEST(TimeTest, Parse_RefusesWhatIsNoDate) {
  for (const char* text : {"2026-02-30", "2026-13-01", "yesterday", "2026-03-01T25:00:00Z", "2026-03-01T12:30:00",
                           "26-3-1", "0000-01-01", "99999999h"}) {
    EXPECT_FALSE(ParseTime(text, WallTime{})) << text;
  }
}

TEST(CsvTest, Parse_QuotesCommasAndLineBreaks) {
  auto rows = ParseCsv("a,b\r\n\"x, \"\"y\"\"\",\"two\nlines\"\n\nlast,\n");
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_THAT((*rows)[1].fields, ElementsAre("x, \"y\"", "two\nlines"));
  EXPECT_EQ((*rows)[2].line, 5u);
  EXPECT_THAT((*rows)[2].fields, ElementsAre("last", ""));
}

TEST(CsvTest, Parse_NoLineFeedAtTheEnd) {
  auto rows = ParseCsv(
      "\xEF\xBB\xBF"
      "a,b");
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_THAT((*rows)[0].fields, ElementsAre("a", "b"));
}

TEST(CsvTest, Parse_BrokenQuotes_NamesTheLine) {
  EXPECT_THAT(ParseCsv("a\n\"open\n").error().message, HasSubstr("line 2"));
  EXPECT_THAT(ParseCsv("a\nb\nx\"y\n").error().message, HasSubstr("line 3"));
  EXPECT_THAT(ParseCsv("\"a\"b\n").error().message, HasSubstr("line 1"));
}

TEST(CsvTest, Format_ParsesBackToTheSameFields) {
  std::vector<std::string> fields = {"plain", "", "a,b", "say \"hi\"", "two\nlines"};
  auto rows = ParseCsv(FormatCsvRow(fields));
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ((*rows)[0].fields, fields);
}

TEST(TableTest, Narrow_LeavesOutByRankAndSaysWhat) {
  Table table({{"id"}, {"from", Align::kLeft, 1}, {"amount", Align::kRight}, {"memo", Align::kLeft, 2}});
  table.AddRow({"1", "bank1/ann", "12.50", "rent for March"});
  EXPECT_THAT(table.Render(false, 80), HasSubstr("rent"));
  EXPECT_EQ(table.Render(false, 24), "id  from       amount\n1   bank1/ann   12.50\n(too narrow for: memo)\n");
  EXPECT_EQ(table.Render(false, 3), "id  amount\n1    12.50\n(too narrow for: from, memo)\n") << "rank 0 stays";
}

TEST(TableTest, Narrow_LeavesOutColumnsWithoutContentFirst) {
  Table table({{"id", Align::kLeft, 1}, {"reason"}});
  table.AddRow({"0123456789", ""});
  EXPECT_EQ(table.Render(false, 12), "id\n0123456789\n(too narrow for: reason)\n");
}

TEST(TableTest, Render_AlignsByDisplayWidth) {
  Table table({{"name", Align::kLeft}, {"amount", Align::kRight}});
  table.AddRow({"Zoë", "1.00"});
  table.AddRow({"日本", "100.00"});
  EXPECT_EQ(table.Render(false),
            "name  amount\n"
            "Zoë     1.00\n"
            "日本  100.00\n");
}

TEST(TableTest, Render_ColoursStatesOnlyWhereItMay) {
  Table table({{"state", Align::kLeft}, {"memo", Align::kLeft}});
  table.AddRow({"COMPLETED", "rent"});
  EXPECT_EQ(table.Render(false), "state      memo\nCOMPLETED  rent\n");
  EXPECT_EQ(table.Render(true), "\033[1mstate      memo\033[0m\n\033[32mCOMPLETED\033[0m  rent\n");
}

TEST(TableTest, Render_ControlCharactersCannotForgeLines) {
  Table table({{"memo", Align::kLeft}});
  table.AddRow({"x\n\033[31mred"});
  EXPECT_EQ(table.Render(false), "memo\nx??[31mred\n");
}

TEST(TableTest, DisplayWidth_CombiningMarksAndBrokenBytes) {
  EXPECT_EQ(DisplayWidth("e\xCC\x81"), 1u);
  EXPECT_EQ(DisplayWidth("\xFF\xFE"), 2u);
}

TEST(WrapTest, BreaksBetweenWordsOnlyAndOnlyOnATerminal) {
  EXPECT_EQ(Wrap("the gateway is away", 11), "the gateway\nis away");
  EXPECT_EQ(Wrap("the gateway is away", 10), "the\ngateway is\naway");
  EXPECT_EQ(Wrap("see /a/long/path/of/mine now", 8), "see\n/a/long/path/of/mine\nnow");
  EXPECT_EQ(Wrap("the gateway is away", 0), "the gateway is away");
  EXPECT_EQ(Wrap("", 5), "");
}

}  // namespace
}  // namespace strife::cli
