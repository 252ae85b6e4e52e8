// What the shell makes of a line, and what it offers to complete it with.
#include "cli/shell.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command_tree.h"
#include "cli/shell_line.h"

namespace strife::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(ShellLineTest, Words_AreSeparatedByBlanksAndKeptTogetherByQuotes) {
  EXPECT_THAT(*SplitWords("pay  --memo 'two words'\t--to \"bank 1\"/x"),
              ElementsAre("pay", "--memo", "two words", "--to", "bank 1/x"));
  EXPECT_THAT(*SplitWords(R"(a\ b "c\"d" 'e\f')"), ElementsAre("a b", "c\"d", "e\\f"));
  EXPECT_THAT(*SplitWords("--memo ''"), ElementsAre("--memo", ""));
}

TEST(ShellLineTest, Comments_EndTheLineOnlyAtTheStartOfAWord) {
  EXPECT_THAT(*SplitWords("# nothing"), IsEmpty());
  EXPECT_THAT(*SplitWords("balance # mine"), ElementsAre("balance"));
  EXPECT_THAT(*SplitWords("--memo rent#3"), ElementsAre("--memo", "rent#3"));
}

TEST(ShellLineTest, OpenQuote_IsAnError) { EXPECT_FALSE(SplitWords("pay --memo 'rent")); }

TEST(ShellLineTest, Typed_IsTheWordsBeforeTheOneAtTheEnd) {
  const Typed typed = SplitTyped("pay --to ba");
  EXPECT_THAT(typed.before, ElementsAre("pay", "--to"));
  EXPECT_EQ(typed.prefix, "ba");
  EXPECT_EQ(SplitTyped("pay ").prefix, "");
  EXPECT_THAT(SplitTyped("pay ").before, ElementsAre("pay"));
}

class CompletionTest : public ::testing::Test {
 protected:
  std::vector<std::string> Of(const std::string& line) {
    const Typed typed = SplitTyped(line);
    return Complete(ShellCommands(), words_, typed.before, typed.prefix);
  }
  Vocabulary words_{.banks = {"bank1", "bank2"},
                    .payees = {"bank3/user2", "bank3/user4", "bank3/user2"},
                    .queued = {"0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"}};
};

TEST_F(CompletionTest, FirstWord_IsACommand) {
  EXPECT_THAT(Of("pa"), ElementsAre("pay", "payment"));
  EXPECT_THAT(Of("ex"), ElementsAre("exit"));
  EXPECT_THAT(Of(""), Not(Contains("gateway"))) << "servers are not run from the shell";
}

TEST_F(CompletionTest, AfterAFlag_ItsValues) {
  EXPECT_THAT(Of("pay --to "), ElementsAre("bank3/user2", "bank3/user4"));
  EXPECT_THAT(Of("pay --amount 1 --from "), ElementsAre("bank1", "bank2"));
  EXPECT_THAT(Of("balance --output t"), ElementsAre("table"));
}

TEST_F(CompletionTest, Subcommands_FlagsAndQueuedPayments) {
  EXPECT_THAT(Of("queue fl"), ElementsAre("flush"));
  EXPECT_THAT(Of("pay --am"), ElementsAre("--amount"));
  EXPECT_THAT(Of("balance "), ElementsAre("bank1", "bank2"));
  EXPECT_THAT(Of("queue cancel "), ElementsAre("0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"));
  EXPECT_THAT(Of("nonsense "), Not(Contains("bank1")));
}

TEST(BashCompletionTest, KnowsEveryCommandAndItsFlags) {
  const std::string script = BashCompletion(ShellCommands());
  EXPECT_THAT(script, HasSubstr("\" queue flush\") word=\""));
  EXPECT_THAT(script, HasSubstr("--amount"));
  EXPECT_THAT(script, HasSubstr("complete -F _strife strife"));
}

}  // namespace
}  // namespace strife::cli
