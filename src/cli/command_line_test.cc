// The command line as a whole: what comes out and the exit status, without any server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/test_directory.h"
#include "cli/command.h"

namespace strife::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::internal::CaptureStderr;
using ::testing::internal::CaptureStdout;
using ::testing::internal::GetCapturedStderr;
using ::testing::internal::GetCapturedStdout;

struct Ran {
  int exit;
  std::string out;
  std::string err;
};

Ran RunLine(std::vector<std::string> words) {
  words.insert(words.begin(), "strife");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  CaptureStdout();
  CaptureStderr();
  int exit = Run(static_cast<int>(argv.size()), argv.data());
  std::fflush(stdout);
  return {exit, GetCapturedStdout(), GetCapturedStderr()};
}

class CommandLineTest : public ::testing::Test {
 protected:
  CommandLineTest() {
    ::unsetenv("STRIFE_CONFIG");
    ::setenv("HOME", folder_.path().c_str(), 1);
  }

  TestDirectory folder_;
};

bool IsOneSentence(const std::string& text) {
  return text.starts_with("strife: ") && std::count(text.begin(), text.end(), '\n') == 1;
}

TEST_F(CommandLineTest, UsageErrors_AreOneSentenceAndStatusTwo) {
  std::vector<std::vector<std::string>> lines = {
      {},
      {"frobnicate"},
      {"--frobnicate"},
      {"pay", "--frobnicate"},
      {"pay", "--to", "bank2/user2"},
      {"pay", "--to", "x", "--from", "bank1", "--amount", "1", "--currency", "USD"},
      {"pay", "--to", "bank2/u", "--from", "bank1", "--amount", "1.005", "--currency", "USD"},
      {"pay", "--to", "bank2/u", "--from", "bank1", "--amount", "1", "--currency", "usd"},
      {"pay", "--to", "bank2/u", "--from", "bank1", "--amount", "1", "--currency", "USD", "--id", "7"},
      {"pay", "--file", "x.csv", "--to", "bank2/u"},
      {"payment"},
      {"payment", "7"},
      {"history", "--limit", "0"},
      {"history", "--since", "yesterday"},
      {"history", "--state", "LOST"},
      {"balance", "--output", "xml"},
      {"balance", "--timeout", "soon"},
      {"balance", "--max-retries", "-1"},
      {"login"},
      {"login", "no such name"},
      {"pki"},
      {"pki", "issue", "king", "arthur", "--dir", "x"},
      {"init"},
      {"init", "--dir", "x", "--banks", "0"},
      {"trace", "7"},
      {"admin", "force", "7", "abort", "--bank", "bank1"},
      {"admin", "transactions", "--since", "yesterday"},
      {"audit", "show"},
      {"audit", "show", "--dir", "x", "--event", "party"},
      {"audit", "verify"},
      {"audit", "head"},
      {"status"},
      {"top"},
      {"verify"},
  };
  for (const auto& line : lines) {
    Ran ran = RunLine(line);
    std::string shown = ::testing::PrintToString(line) + ": " + ran.err;
    EXPECT_EQ(ran.exit, 2) << shown;
    EXPECT_TRUE(IsOneSentence(ran.err)) << shown;
    EXPECT_EQ(ran.out, "") << shown;
  }
}

TEST_F(CommandLineTest, MisspeltCommand_IsGuessed) {
  EXPECT_THAT(RunLine({"blance"}).err, HasSubstr("did you mean balance?"));
}

TEST_F(CommandLineTest, Version_IsPrinted) {
  Ran ran = RunLine({"--version"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.out, HasSubstr("strife "));
}

TEST_F(CommandLineTest, Help_HasExamplesOnEveryCommand) {
  for (const char* command : {"init", "up", "login", "logout", "whoami", "pay", "payment", "history", "balance"}) {
    Ran ran = RunLine({command, "--help"});
    EXPECT_EQ(ran.exit, 0) << command;
    EXPECT_THAT(ran.out, HasSubstr(std::string("  strife ") + command));
  }
}

TEST_F(CommandLineTest, NoClientConfiguration_SaysWhereItIsLookedFor) {
  fs::path before = fs::current_path();
  fs::current_path(folder_.path());
  Ran ran = RunLine({"whoami"});
  fs::current_path(before);
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, HasSubstr("~/.config/strife/client.toml"));
}

TEST_F(CommandLineTest, BadConfiguration_IsOneSentenceAndStatusOne) {
  for (const char* content : {"gatewey = \"x\"\n", "gateway = \n", "timeout = 5\n"}) {
    fs::path file = folder_ / "client.toml";
    std::ofstream(file, std::ios::trunc) << content;
    Ran ran = RunLine({"whoami", "--config", file.string()});
    EXPECT_EQ(ran.exit, 1) << content;
    EXPECT_TRUE(IsOneSentence(ran.err)) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("client.toml line 1"));
  }
}

TEST_F(CommandLineTest, UpWithoutANetwork_SaysHowToMakeOne) {
  Ran ran = RunLine({"up", "--dir", folder_.path().string()});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, HasSubstr("strife init"));
}

TEST_F(CommandLineTest, Seeds_ThatAreNone_AreRefused) {
  fs::path scenario = folder_ / "scenario.toml";
  std::ofstream(scenario) << "description = \"none\"\n";
  for (const char* seed : {"-1", "18446744073709551615", "99999999999999999999999", "1x", ""}) {
    Ran ran = RunLine({"sim", "--scenario", scenario.string(), "--seed", seed});
    EXPECT_EQ(ran.exit, 2) << seed;
    EXPECT_THAT(ran.err, HasSubstr("--seed"));
  }
  EXPECT_EQ(RunLine({"sim", "--scenario", scenario.string(), "--seeds", "5..18446744073709551615"}).exit, 2);
}

TEST_F(CommandLineTest, UsersHash_ReadsAFileAndPrintsAPhcString) {
  fs::path file = folder_ / "password";
  std::ofstream(file) << "correct horse\nsecond line\n";
  Ran ran = RunLine({"users", "hash", "--password-file", file.string()});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_TRUE(ran.out.starts_with("$argon2id$")) << ran.out;
}

}  // namespace
}  // namespace strife::cli
