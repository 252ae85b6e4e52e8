#include "observability/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>
#include <thread>

#include "base/test_directory.h"

namespace strife {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class LogTest : public ::testing::Test {
 protected:
  std::unique_ptr<LogDirectory> Open(LogOptions options = {}) {
    auto logs = LogDirectory::Open(root_ / "logs", {"a.log", "b.log"}, options);
    EXPECT_TRUE(logs) << logs.error().message;
    return std::move(*logs);
  }
  std::string Read(const std::string& name) const {
    std::ifstream file(root_ / "logs" / name);
    std::stringstream content;
    content << file.rdbuf();
    return content.str();
  }

  TestDirectory root_;
};

TEST_F(LogTest, Line_HasTimeLevelAndPairs) {
  auto logs = Open();
  logs->Get("a.log").Write(LogLevel::kWarning, LogLine("started").Add("port", 50052));
  logs->Flush();
  EXPECT_TRUE(std::regex_match(
      Read("a.log"), std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z WARNING event=started port=50052\n)")))
      << Read("a.log");
  EXPECT_EQ(Read("b.log"), "");
}

TEST_F(LogTest, JsonLine_HasTheSameInAnObject) {
  auto logs = Open({.format = LogFormat::kJson});
  logs->Get("a.log").Write(LogLevel::kWarning, LogLine("started").Add("port", 50052).Add("memo", "a \"b\""));
  logs->Flush();
  EXPECT_TRUE(std::regex_match(
      Read("a.log"),
      std::regex(
          R"re(\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z","level":"warning","event":"started","port":50052,"memo":"a \\"b\\""\}\n)re")))
      << Read("a.log");
}

TEST_F(LogTest, FilesAndDirectory_AreForTheOwnerOnly) {
  auto logs = Open({.max_file_bytes = 100, .kept_files = 2});
  for (int i = 0; i < 3; ++i) {
    logs->Get("a.log").Write(LogLevel::kInfo, LogLine("e").Add("text", std::string(80, 'x')));
    logs->Flush();
  }
  EXPECT_EQ(ModeOf(root_ / "logs"), 0700);
  EXPECT_EQ(ModeOf(root_ / "logs" / "a.log"), 0600);
  EXPECT_EQ(ModeOf(root_ / "logs" / "a.1.log"), 0600);
}

TEST_F(LogTest, Rotation_KeepsTheNewestFilesOnly) {
  auto logs = Open({.max_file_bytes = 200, .kept_files = 2});
  for (int i = 0; i < 10; ++i) {
    logs->Get("a.log").Write(LogLevel::kInfo, LogLine("e").Add("number", i).Add("text", std::string(100, 'x')));
    logs->Flush();
  }
  EXPECT_THAT(Read("a.log"), HasSubstr("number=9"));
  EXPECT_THAT(Read("a.1.log"), HasSubstr("number=8"));
  EXPECT_TRUE(std::filesystem::exists(root_ / "logs" / "a.2.log"));
  EXPECT_FALSE(std::filesystem::exists(root_ / "logs" / "a.3.log"));
}

TEST_F(LogTest, Level_DecidesWhatIsKeptAndChangesAtOnce) {
  auto logs = Open({.level = LogLevel::kWarning});
  Logger& log = logs->Get("a.log");
  EXPECT_FALSE(log.Enabled(LogLevel::kInfo));
  EXPECT_TRUE(log.Enabled(LogLevel::kWarning));
  log.Write(LogLevel::kInfo, LogLine("hidden"));
  logs->SetLevel(LogLevel::kDebug);
  log.Write(LogLevel::kDebug, LogLine("shown"));
  logs->Flush();
  EXPECT_THAT(Read("a.log"), Not(HasSubstr("hidden")));
  EXPECT_THAT(Read("a.log"), HasSubstr("DEBUG event=shown"));
}

TEST_F(LogTest, FullBuffer_DropsCountsAndSaysSo) {
  auto logs = Open({.buffer_bytes = 1000});
  Logger& log = logs->Get("a.log");
  const LogLine too_long = LogLine("e")
                               .Add("a", std::string(250, 'x'))
                               .Add("b", std::string(250, 'x'))
                               .Add("c", std::string(250, 'x'))
                               .Add("d", std::string(250, 'x'));
  log.Write(LogLevel::kInfo, too_long);  // never fits
  log.Write(LogLevel::kInfo, too_long);
  EXPECT_EQ(log.dropped(), 2u);
  EXPECT_EQ(logs->dropped(), 2u);
  log.Write(LogLevel::kInfo, LogLine("after"));
  logs->Flush();
  EXPECT_THAT(Read("a.log"), HasSubstr("event=after"));
  EXPECT_THAT(Read("a.log"), HasSubstr("WARNING event=log_lines_dropped count=2 total=2"));
  log.Write(LogLevel::kInfo, LogLine("later"));
  logs->Flush();
  const std::string text = Read("a.log");
  EXPECT_EQ(text.find("log_lines_dropped"), text.rfind("log_lines_dropped")) << "reported once";
}

TEST_F(LogTest, DiskThatFails_IsSaidOnceAndCostsNoMoreThanTheLines) {
  auto logs = Open();
  std::filesystem::rename(root_ / "logs", root_ / "away");
  std::ofstream(root_ / "logs") << "no directory";
  ::testing::internal::CaptureStderr();
  logs->Reopen();
  for (int n = 0; n < 3; ++n) {
    logs->Get("a.log").Write(LogLevel::kInfo, LogLine("lost"));
    logs->Flush();
  }
  std::filesystem::remove(root_ / "logs");
  std::filesystem::rename(root_ / "away", root_ / "logs");
  logs->Get("a.log").Write(LogLevel::kInfo, LogLine("back"));
  logs->Flush();
  const std::string said = ::testing::internal::GetCapturedStderr();
  // Of each file when it was to be opened again, and of the first line.
  EXPECT_EQ(std::ranges::count(said, '\n'), 3) << said;
  EXPECT_THAT(said, HasSubstr("cannot open the log"));
  EXPECT_EQ(logs->dropped(), 3u);
  EXPECT_THAT(Read("a.log"), HasSubstr("log_lines_dropped count=3 total=3"));
  EXPECT_THAT(Read("a.log"), HasSubstr("event=back"));
}

TEST_F(LogTest, Reopen_FollowsARenamedFile) {
  auto logs = Open();
  logs->Get("a.log").Write(LogLevel::kInfo, LogLine("before"));
  logs->Flush();
  std::filesystem::rename(root_ / "logs" / "a.log", root_ / "logs" / "a.old");
  logs->Reopen();
  logs->Get("a.log").Write(LogLevel::kInfo, LogLine("after"));
  logs->Flush();
  EXPECT_THAT(Read("a.old"), HasSubstr("before"));
  EXPECT_THAT(Read("a.old"), Not(HasSubstr("after")));
  EXPECT_THAT(Read("a.log"), HasSubstr("after"));
  EXPECT_EQ(ModeOf(root_ / "logs" / "a.log"), 0600);
}

TEST_F(LogTest, Destructor_WritesOutWhatIsBuffered) {
  Open()->Get("b.log").Write(LogLevel::kInfo, LogLine("last_words"));
  EXPECT_THAT(Read("b.log"), HasSubstr("last_words"));
}

TEST_F(LogTest, Opening_AppendsToWhatIsThere) {
  Open()->Get("a.log").Write(LogLevel::kInfo, LogLine("first_run"));
  Open()->Get("a.log").Write(LogLevel::kInfo, LogLine("second_run"));
  EXPECT_THAT(Read("a.log"), HasSubstr("first_run"));
  EXPECT_THAT(Read("a.log"), HasSubstr("second_run"));
}

TEST_F(LogTest, ManyThreads_EveryLineArrivesWhole) {
  constexpr int kThreads = 4, kLines = 2000;
  {
    auto logs = Open({.buffer_bytes = 16 << 20});
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&logs] {
        for (int i = 0; i < kLines; ++i) logs->Get("a.log").Write(LogLevel::kInfo, LogLine("e").Add("number", i));
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(logs->dropped(), 0u);
  }
  std::istringstream lines(Read("a.log"));
  std::string line;
  int count = 0;
  const std::regex whole(R"(\S+Z INFO event=e number=\d+)");
  while (std::getline(lines, line)) {
    ++count;
    ASSERT_TRUE(std::regex_match(line, whole)) << line;
  }
  EXPECT_EQ(count, kThreads * kLines);
}

TEST_F(LogTest, CriticalLine_AlsoGoesToStderr) {
  auto logs = Open();
  ::testing::internal::CaptureStderr();
  logs->Get("a.log").Write(LogLevel::kCritical, LogLine("partial_commit"));
  logs->Get("a.log").Write(LogLevel::kError, LogLine("only_in_the_file"));
  logs->Flush();
  const std::string shown = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(shown, HasSubstr("CRITICAL event=partial_commit"));
  EXPECT_THAT(shown, Not(HasSubstr("only_in_the_file")));
}

TEST_F(LogTest, UnusableDirectory_IsAnErrorNamingIt) {
  std::ofstream(root_ / "logs") << "a file";
  const auto logs = LogDirectory::Open(root_ / "logs", {"a.log"});
  ASSERT_FALSE(logs);
  EXPECT_THAT(logs.error().message, HasSubstr((root_ / "logs").string()));
}

TEST_F(LogTest, FileThatCannotBeOpened_IsAnErrorNamingIt) {
  std::filesystem::create_directories(root_ / "logs" / "a.log");
  const auto logs = LogDirectory::Open(root_ / "logs", {"a.log"});
  ASSERT_FALSE(logs);
  EXPECT_THAT(logs.error().message, HasSubstr("a.log"));
}

TEST(ParseLogLevel, KnowsTheSixNames) {
  EXPECT_EQ(ParseLogLevel("info"), LogLevel::kInfo);
  EXPECT_EQ(ParseLogLevel("critical"), LogLevel::kCritical);
  EXPECT_FALSE(ParseLogLevel("INFO"));
  EXPECT_FALSE(ParseLogLevel(""));
}

}  // namespace
}  // namespace strife
