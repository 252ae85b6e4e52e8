#include "cli/payments_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/test_directory.h"
#include "cli/payment_view.h"
#include "cli/progress.h"

namespace strife::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<protocol::AccountRef> kAccounts = {{"bank1", "user1"}, {"bank2", "user1"}};

std::vector<std::string> ErrorsIn(const std::string& text) {
  std::vector<std::string> errors;
  ParsePayments(text, kAccounts, &errors);
  return errors;
}

TEST(PaymentRowsTest, Parse_BothSpellingsOfThePayee) {
  std::vector<std::string> errors;
  auto one = ParsePayments("to,from_bank,amount,currency\nbank2/user2,bank1,12.50,USD\n", kAccounts, &errors);
  auto two =
      ParsePayments("amount,currency,to_bank,to_account,from\n12.50,USD,bank2,user2,bank1\n", kAccounts, &errors);
  ASSERT_THAT(errors, ElementsAre());
  ASSERT_EQ(one.size(), 1u);
  ASSERT_EQ(two.size(), 1u);
  EXPECT_EQ(one[0].order, two[0].order);
  EXPECT_EQ(AccountText(one[0].order.from), "bank1/user1");
  EXPECT_EQ(one[0].order.amount.minor_units, 1250);
  EXPECT_TRUE(one[0].order.id.IsNil());
}

TEST(PaymentRowsTest, Parse_EveryBadLineIsNamed) {
  auto errors = ErrorsIn(
      "to,from_bank,amount,currency,memo,id\n"
      "bank2/user2,bank1,1.00,USD,,\n"
      "nobody,bank1,1.00,USD,,\n"
      "bank2/user2,bank9,1.00,USD,,\n"
      "bank2/user2,bank1,1.001,USD,,\n"
      "bank2/user2,bank1,1.00,XYZ,,\n"
      "bank1/user1,bank1,1.00,USD,,\n"
      "bank2/user2,bank1,1.00,USD,,not-a-uuid\n"
      "bank2/user2,bank1,1.00,USD\n");
  ASSERT_EQ(errors.size(), 7u);
  for (std::size_t i = 0; i < errors.size(); ++i) {
    EXPECT_THAT(errors[i], HasSubstr("line " + std::to_string(i + 3) + ":"));
  }
}

TEST(PaymentRowsTest, Parse_SameIdTwice_IsRefused) {
  std::string id = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
  EXPECT_THAT(
      ErrorsIn("to,from_bank,amount,currency,id\nbank2/u,bank1,1,USD," + id + "\nbank2/u,bank1,2,USD," + id + "\n"),
      ElementsAre(HasSubstr("line 3")));
}

TEST(PaymentRowsTest, Parse_BadHeader_SaysWhatIsMissing) {
  EXPECT_THAT(ErrorsIn(""), ElementsAre(HasSubstr("header")));
  EXPECT_THAT(ErrorsIn("to,from_bank,amount\n"), ElementsAre(HasSubstr("currency is missing")));
  EXPECT_THAT(ErrorsIn("from_bank,amount,currency\n"), ElementsAre(HasSubstr("payee")));
  EXPECT_THAT(ErrorsIn("to,from_bank,amuont,currency\n"), ElementsAre(HasSubstr("did you mean amount")));
}

class PaymentsFileTest : public ::testing::Test {
 protected:
  PaymentsFileTest() {
    Write("to,from_bank,amount,currency,memo\nbank2/a,bank1,1.00,USD,\"x, y\"\nbank2/b,bank1,2.00,USD,\n");
  }

  void Write(const std::string& content) { std::ofstream(file_, std::ios::trunc) << content; }
  Result<PaymentsFile> Open() {
    errors_.clear();
    return PaymentsFile::Open(file_, kAccounts, &errors_);
  }
  std::string Results() {
    std::ifstream stream(folder_ / "pay.csv.result.csv");
    std::stringstream content;
    content << stream.rdbuf();
    return content.str();
  }

  TestDirectory folder_;
  const fs::path file_ = folder_ / "pay.csv";
  std::vector<std::string> errors_;
};

TEST_F(PaymentsFileTest, Open_IdsAreOnDiskBeforeAnythingIsSent) {
  auto file = Open();
  ASSERT_TRUE(file);
  for (const FilePayment& payment : file->payments()) {
    EXPECT_FALSE(payment.order.id.IsNil());
    EXPECT_THAT(Results(), HasSubstr(payment.order.id.ToString()));
  }
}

TEST_F(PaymentsFileTest, Reopen_AfterACrash_KeepsIdsAndRecordedOutcomes) {
  std::vector<Uuid> ids;
  {
    auto file = Open();
    ASSERT_TRUE(file);
    for (auto& payment : file->payments()) ids.push_back(payment.order.id);
    file->payments()[0].state = "COMPLETED";
    ASSERT_TRUE(file->Record(file->payments()[0]));
  }
  std::ofstream(folder_ / "pay.csv.result.csv", std::ios::app) << "3,0190a1b2-c3d4";  // a row cut short
  auto again = Open();
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->payments()[0].order.id, ids[0]);
  EXPECT_EQ(again->payments()[1].order.id, ids[1]);
  EXPECT_TRUE(again->payments()[0].IsFinal());
  EXPECT_FALSE(again->payments()[1].IsFinal());
}

TEST_F(PaymentsFileTest, Reopen_ChangedLine_IsRefusedByItsNumber) {
  ASSERT_TRUE(Open());
  Write("to,from_bank,amount,currency,memo\nbank2/a,bank1,1.00,USD,\"x, y\"\nbank2/b,bank1,200.00,USD,\n");
  auto again = Open();
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("line 3"));
}

TEST_F(PaymentsFileTest, Reopen_RemovedLine_IsRefused) {
  ASSERT_TRUE(Open());
  Write("to,from_bank,amount,currency,memo\nbank2/a,bank1,1.00,USD,\"x, y\"\n");
  EXPECT_FALSE(Open());
}

TEST_F(PaymentsFileTest, Reopen_NewLine_IsRefused) {
  ASSERT_TRUE(Open());
  std::ofstream(folder_ / "pay.csv", std::ios::app) << "bank2/c,bank1,3.00,USD,\n";
  auto again = Open();
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("line 4"));
}

TEST_F(PaymentsFileTest, Reopen_DamagedResults_AreRefusedAndLeftAsTheyAre) {
  ASSERT_TRUE(Open());
  const std::string whole = Results();
  const std::size_t header = whole.find('\n') + 1, row = whole.find('\n', header) + 1;
  for (const std::string& damaged :
       {std::string(), std::string(300, '\0'), whole.substr(0, header / 2), whole.substr(0, header),
        whole.substr(0, row), whole.substr(0, row + 20), whole.substr(header)}) {
    std::ofstream(folder_ / "pay.csv.result.csv", std::ios::trunc) << damaged;
    EXPECT_FALSE(Open()) << damaged;
    EXPECT_EQ(Results(), damaged);
  }
}

TEST_F(PaymentsFileTest, Reopen_ByALink_GoesOnWithTheSameIds) {
  auto file = Open();
  ASSERT_TRUE(file);
  const Uuid id = file->payments()[0].order.id;
  file = Fail(ErrorCode::kInternal, "closed");
  fs::create_symlink(folder_ / "pay.csv", folder_ / "link.csv");
  auto again = PaymentsFile::Open(folder_ / "link.csv", kAccounts, &errors_);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->payments()[0].order.id, id);
}

TEST_F(PaymentsFileTest, Open_WhileAnotherRunsIt_IsRefused) {
  auto first = Open();
  ASSERT_TRUE(first);
  auto second = Open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kAlreadyExists);
}

TEST_F(PaymentsFileTest, Open_BadLine_LeavesNothingBehind) {
  Write("to,from_bank,amount,currency\nbank2/a,bank1,1.00,USD\nbank2/b,bank1,-2,USD\n");
  EXPECT_FALSE(Open());
  EXPECT_EQ(errors_.size(), 1u);
  EXPECT_FALSE(fs::exists(folder_ / "pay.csv.result.csv"));
}

TEST_F(PaymentsFileTest, Finish_OneRowForEachPaymentInOrder) {
  auto file = Open();
  ASSERT_TRUE(file);
  file->payments()[1].state = "ABORTED";
  file->payments()[0].state = "COMPLETED";
  ASSERT_TRUE(file->Record(file->payments()[1]));
  ASSERT_TRUE(file->Record(file->payments()[0]));
  ASSERT_TRUE(file->Finish());
  std::istringstream lines(Results());
  std::string line;
  std::vector<std::string> rows;
  while (std::getline(lines, line)) rows.push_back(line);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_THAT(rows[1], HasSubstr("COMPLETED"));
  EXPECT_THAT(rows[2], HasSubstr("ABORTED"));
}

TEST(ProgressTest, Line_ShowsShareRateAndTimeLeft) {
  EXPECT_EQ(ProgressLine("payments", 500, 1000, 5.0, false), " 50 %  500/1000 payments  100/s  00:05 left");
  EXPECT_EQ(ProgressLine("payments", 1000, 1000, 10.0, true),
            "[########################] 100 %  1000/1000 payments  100/s");
}

}  // namespace
}  // namespace strife::cli
