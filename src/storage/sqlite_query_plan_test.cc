// History and look-ups must stay fast for tens of millions of rows: SQLite is asked how it would run each statement.
#include <gmock/gmock.h>

#include "storage/sqlite/bank_schema.h"
#include "storage/sqlite/gateway_schema.h"
#include "storage/store_test_support.h"

namespace strife {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string PlanOf(const std::filesystem::path& file, const sqlite::Schema& schema, const char* sql) {
  auto database = sqlite::OpenWriter(file, schema).value();
  auto statement = database.Prepare(std::string("EXPLAIN QUERY PLAN ") + sql).value();
  std::string plan;
  while (statement.Step().value()) plan += std::string(*statement.Text(3)) + "\n";
  return plan;
}

class GatewayQueryPlan : public ::testing::TestWithParam<const char*> {};

TEST_P(GatewayQueryPlan, ReadsNoMoreThanItReturns) {
  TestDirectory folder;
  const std::string plan = PlanOf(folder / "gateway.db", sqlite::kGatewaySchema, GetParam());
  EXPECT_THAT(plan, HasSubstr("SEARCH"));
  EXPECT_THAT(plan, Not(HasSubstr("SCAN"))) << GetParam();
  EXPECT_THAT(plan, Not(HasSubstr("TEMP B-TREE"))) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Statements, GatewayQueryPlan,
                         ::testing::Values(sqlite::kFindPayment, sqlite::kHistory, sqlite::kHistoryCompleted,
                                           sqlite::kHistoryAborted, sqlite::kHistoryOpen, sqlite::kFindSession,
                                           sqlite::kRevokedSessions, sqlite::kFindRefreshToken,
                                           sqlite::kFindLoginCounter, sqlite::kForgetLoginCounters,
                                           sqlite::kForgetRefreshTokens, sqlite::kForgetSessions,
                                           sqlite::kNewestPayments, sqlite::kLiveSessions, sqlite::kSessionsOfUser,
                                           sqlite::kUpdatePayment, sqlite::kAdvance, sqlite::kFindPaymentTrace,
                                           sqlite::kUpdatePaymentTrace));

class BankQueryPlan : public ::testing::TestWithParam<const char*> {};

TEST_P(BankQueryPlan, ReadsNoMoreThanItReturns) {
  TestDirectory folder;
  const std::string plan = PlanOf(folder / "bank.db", sqlite::kBankSchema, GetParam());
  EXPECT_THAT(plan, HasSubstr("SEARCH"));
  EXPECT_THAT(plan, Not(HasSubstr("SCAN"))) << GetParam();
  EXPECT_THAT(plan, Not(HasSubstr("TEMP B-TREE"))) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Statements, BankQueryPlan,
                         ::testing::Values(sqlite::kFindTransaction, sqlite::kFindAccount, sqlite::kUpdateTransaction,
                                           sqlite::kUpdateAccount, sqlite::kFindTransactionTrace));

TEST(QueryPlan, HistoryPage_IsOneRangeOfTheIndex) {
  TestDirectory folder;
  EXPECT_THAT(PlanOf(folder / "gateway.db", sqlite::kGatewaySchema, sqlite::kHistory),
              HasSubstr("payments_history (payer=? AND created_at>? AND (created_at,id)<(?,?))"));
}

TEST(QueryPlan, Recovery_WalksOnlyTheIndexOfWhatIsOpen) {
  TestDirectory folder;
  const std::string open = PlanOf(folder / "gateway.db", sqlite::kGatewaySchema, sqlite::kOpenPayments);
  EXPECT_THAT(open, HasSubstr("payments_open"));
  EXPECT_THAT(open, Not(HasSubstr("TEMP B-TREE")));
  const std::string prepared = PlanOf(folder / "bank.db", sqlite::kBankSchema, sqlite::kPreparedTransactions);
  EXPECT_THAT(prepared, HasSubstr("transactions_prepared"));
  EXPECT_THAT(prepared, Not(HasSubstr("TEMP B-TREE")));
}

TEST(QueryPlan, VerificationScans_FollowThePrimaryKeyWithoutSorting) {
  TestDirectory folder;
  EXPECT_THAT(PlanOf(folder / "gateway.db", sqlite::kGatewaySchema, sqlite::kScanPayments),
              Not(HasSubstr("TEMP B-TREE")));
  for (const char* sql : {sqlite::kScanTransactions, sqlite::kScanEntries, sqlite::kScanAccounts}) {
    EXPECT_THAT(PlanOf(folder / "bank.db", sqlite::kBankSchema, sql), Not(HasSubstr("TEMP B-TREE")));
  }
}

}  // namespace
}  // namespace strife
