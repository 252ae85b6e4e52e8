#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/table.h"
#include "cli/top_figures.h"
#include "protocol/test_support.h"

namespace strife::cli {
namespace {

using protocol::testing::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

MetricsReading Gateway(int completed, int aborted, int below_1ms, int below_2ms, int all) {
  const auto bucket = [](const char* le, int count) {
    return "strife_payment_phase_duration_seconds_bucket{phase=\"total\",le=\"" + std::string(le) + "\"} " +
           std::to_string(count) + "\n";
  };
  return MetricsReading::Parse(
      "strife_payments_total{state=\"COMPLETED\",reason=\"none\"} " + std::to_string(completed) +
      "\nstrife_payments_total{state=\"ABORTED\",reason=\"AM04\"} " + std::to_string(aborted) + "\n" +
      bucket("0.001", below_1ms) + bucket("0.002", below_2ms) + bucket("+Inf", all) +
      "strife_payments_in_flight 7\nstrife_bank_up{bank=\"bank1\"} 1\nstrife_bank_up{bank=\"bank2\"} 0\n" +
      "strife_bank_queued_commands{bank=\"bank2\"} 40\n");
}

std::string Text(const TopView& view, std::size_t columns = 80, std::size_t rows = 60) {
  std::string text;
  for (const std::string& line : TopLines(view, columns, rows, false)) text += line + "\n";
  return text;
}

TEST(TopFigures, AreOfWhatHappenedBetweenTheReadings) {
  const TopFigures figures = FiguresBetween(Gateway(100, 10, 50, 60, 60), Gateway(300, 20, 150, 160, 160), seconds(2));
  EXPECT_EQ(figures.completed_per_second, 100);
  EXPECT_EQ(figures.declined_per_second, 5);
  EXPECT_EQ(figures.in_flight, 7);
  const auto& total = figures.phases.back();
  ASSERT_TRUE(total.took);
  EXPECT_DOUBLE_EQ(total.took->median_s, 0.0005);  // all of them took up to a millisecond
  EXPECT_DOUBLE_EQ(total.took->p99_s, 0.00099);
  EXPECT_FALSE(figures.phases.front().took) << "nothing came to it";
  ASSERT_EQ(figures.banks.size(), 2u);
  EXPECT_TRUE(figures.banks[0].up);
  EXPECT_FALSE(figures.banks[1].up);
  EXPECT_EQ(figures.banks[1].queued, 40);
}

TEST(TopFigures, OfAServerThatWasStartedInBetween_AreNoNegativeRates) {
  const TopFigures figures = FiguresBetween(Gateway(300, 20, 150, 160, 160), Gateway(0, 0, 0, 0, 0), seconds(1));
  EXPECT_EQ(figures.completed_per_second, 0);
  EXPECT_FALSE(figures.phases.back().took);
}

TEST(Quantiles, BeyondTheLastBound_AreThatBound) {
  const auto took = QuantilesOf(Gateway(0, 0, 0, 0, 0), Gateway(0, 0, 0, 0, 9), "strife_payment_phase_duration_seconds",
                                "phase=\"total\"");
  ASSERT_TRUE(took);
  EXPECT_DOUBLE_EQ(took->p99_s, 0.002);
}

TopView View() {
  TopView view{.now = WallTime(seconds(1'700'000'000)), .network = "net", .figures = {}, .problems = {}, .recent = {}};
  view.figures = FiguresBetween(Gateway(0, 0, 0, 0, 0), Gateway(1, 0, 1, 1, 1), seconds(1));
  return view;
}

TEST(TopLines, FitTheTerminal) {
  TopView view = View();
  view.problems = {std::string(500, 'x')};
  for (const std::size_t columns : {10u, 40u, 80u, 200u}) {
    for (const std::size_t rows : {1u, 5u, 24u}) {
      const auto lines = TopLines(view, columns, rows, false);
      EXPECT_LE(lines.size(), rows);
      for (const std::string& line : lines) EXPECT_LE(DisplayWidth(line), columns) << line;
    }
  }
}

TEST(TopLines, TellOfBanksAndProblems) {
  TopView view = View();
  view.problems = {"bank2: \033[2Jcannot be read"};
  EXPECT_THAT(Text(view), HasSubstr("bank2  DOWN"));
  EXPECT_THAT(Text(view), HasSubstr("! bank2: "));
  EXPECT_THAT(Text(view), Not(HasSubstr("\033")));
  view.figures.reset();
  EXPECT_THAT(Text(view), HasSubstr("waiting for two readings"));
}

TEST(TopLines, ShowRecentPayments) {
  TopView view = View();
  view.recent.emplace();
  view.recent->resize(1);
  view.recent->front().order = protocol::testing::Order(protocol::testing::Id(1));
  view.recent->front().created_at = view.now;
  view.recent->front().state = protocol::PaymentState::kCompleted;
  EXPECT_THAT(Text(view, 200), HasSubstr("a/payer"));
  EXPECT_THAT(Text(view, 200), HasSubstr("COMPLETED"));
}

}  // namespace
}  // namespace strife::cli
