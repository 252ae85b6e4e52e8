#include "bank/service.h"

#include <gtest/gtest.h>

#include "base/test_directory.h"
#include "runtime/system_clock.h"

namespace strife::bank {
namespace {

// Nothing is read here.
class NoReader final : public BankReader {
 public:
  Result<std::optional<protocol::AccountRecord>> FindAccount(const std::string&) override { return None(); }
  Result<std::optional<protocol::BankTransactionRecord>> FindTransaction(const Uuid&) override { return None(); }
  Result<std::string> FindTrace(const Uuid&) override { return None(); }
  Result<std::vector<LedgerTotals>> Totals() override { return None(); }
  Result<std::unique_ptr<BankSnapshot>> Snapshot() override { return None(); }
  Result<std::unique_ptr<AuditSnapshot>> Audit() override { return None(); }

 private:
  static std::unexpected<Error> None() { return Fail(ErrorCode::kNotFound, "nothing"); }
};

// A service whose engine's inbox is full.
class BankServiceTest : public ::testing::Test {
 protected:
  BankServiceTest() {
    certificate_->identity = {"strife.local", security::Role::kOperator, "olga"};
    logs_ = *LogDirectory::Open(directory_ / "logs", {"banktransactions.log"});
    service_ = std::make_unique<BankService>(
        BankService::Parts{.reader = reader_,
                           .clock = clock_,
                           .workers = workers_,
                           .log = logs_->Get("banktransactions.log"),
                           .events = events_,
                           .metrics = metrics_,
                           .submit = [](const std::vector<protocol::ParticipantInput>&) { return false; },
                           .inquire = [](const protocol::Inquiry&) {},
                           .disk = disk_,
                           .participant = participant_});
  }

  rpc::Caller caller() const { return {certificate_, "127.0.0.1:1", std::nullopt}; }

  TestDirectory directory_;
  NoReader reader_;
  runtime::SystemClock clock_;
  runtime::WorkerPool workers_{1, 1};
  std::unique_ptr<LogDirectory> logs_;
  server::EventCounts events_{std::span<const std::string_view>()};
  BankMetrics metrics_;
  server::DiskSpace disk_{directory_ / "logs", 0};
  protocol::Participant participant_{{.bank_id = "bank1"}};
  std::shared_ptr<security::Certificate> certificate_ = std::make_shared<security::Certificate>();
  std::unique_ptr<BankService> service_;
};

TEST_F(BankServiceTest, InboxIsFull_DirectTransactionsAndCommandsFailAlike) {
  std::optional<rpc::ApiError> direct, command;
  service_->ProcessTransaction(caller(),
                               {.transaction_id = "0190163d-8694-739b-aea5-966c26f8ad91",
                                .account_id = "user1",
                                .minor_units = 100,
                                .currency = "USD"},
                               [&](rpc::ApiResult<rpc::DirectResponse> result) {
                                 ASSERT_FALSE(result);
                                 direct = result.error();
                               });
  service_->Execute(caller(), {protocol::BankCommand{}}, [&](rpc::ApiResult<std::vector<protocol::BankReply>> result) {
    ASSERT_FALSE(result);
    command = result.error();
  });
  ASSERT_TRUE(direct && command);
  EXPECT_EQ(direct->code, rpc::ApiCode::kResourceExhausted);
  EXPECT_EQ(direct->reason_code, "OVERLOADED");
  EXPECT_FALSE(direct->message.empty());
  EXPECT_TRUE(direct->retryable && direct->retry_after);
  EXPECT_EQ(direct->message, command->message);
}

}  // namespace
}  // namespace strife::bank
