#include "client/session_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

namespace strife::client {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class SessionFileTest : public ::testing::Test {
 protected:
  SessionFileTest() {
    std::string pattern = (fs::temp_directory_path() / "strife-session-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    session_ = {.gateway = "127.0.0.1:50052",
                .username = "user1",
                .access_token = "header.body.signature",
                .access_expires_at = WallTime(std::chrono::hours(400'000)),
                .refresh_token = "strife_rt_secret",
                .refresh_expires_at = WallTime(std::chrono::hours(400'100)),
                .accounts = {{"bank1", "user1"}, {"bank2", "user1"}}};
  }
  ~SessionFileTest() override { fs::remove_all(folder_); }

  fs::path folder_;
  Session session_;
};

TEST_F(SessionFileTest, Save_LoadsBackTheSame) {
  SessionFile file(folder_ / "a/b");
  ASSERT_TRUE(file.Save(session_));
  auto loaded = file.Load();
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(*loaded, session_);
}

TEST_F(SessionFileTest, Save_OnlyTheOwnerCanRead) {
  SessionFile file(folder_ / "data");
  ASSERT_TRUE(file.Save(session_));
  struct stat status{};
  ASSERT_EQ(::stat((folder_ / "data/session.json").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat((folder_ / "data").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(SessionFileTest, Load_ReadableByOthers_IsRefused) {
  SessionFile file(folder_);
  ASSERT_TRUE(file.Save(session_));
  ::chmod((folder_ / "session.json").c_str(), 0644);
  auto loaded = file.Load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::kPermissionDenied);
}

TEST_F(SessionFileTest, Load_None_SaysToLogIn) {
  auto loaded = SessionFile(folder_).Load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::kUnauthenticated);
  EXPECT_THAT(loaded.error().message, HasSubstr("strife login"));
}

TEST_F(SessionFileTest, Load_Damaged_SaysSoWithoutQuotingIt) {
  SessionFile file(folder_);
  ASSERT_TRUE(file.Save(session_));
  std::ofstream(folder_ / "session.json") << "{\"access_token\": \"sesame\"";
  auto loaded = file.Load();
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("damaged"));
  EXPECT_THAT(loaded.error().message, Not(HasSubstr("sesame")));
}

TEST_F(SessionFileTest, Remove_EndsTheSessionAndMayBeRepeated) {
  SessionFile file(folder_);
  ASSERT_TRUE(file.Save(session_));
  EXPECT_TRUE(file.Remove());
  EXPECT_TRUE(file.Remove());
  EXPECT_FALSE(file.Load());
}

TEST_F(SessionFileTest, Lock_LetsOneInAtATime) {
  SessionFile file(folder_);
  std::atomic<bool> released = false;
  auto lock = std::make_unique<FileLock>(*file.Lock());
  std::thread other([&] {
    auto second = SessionFile(folder_).Lock();
    EXPECT_TRUE(second);
    EXPECT_TRUE(released);
  });
  EXPECT_FALSE(FileLock::TryAcquire(folder_ / "session.lock"));
  released = true;
  lock.reset();
  other.join();
}

}  // namespace
}  // namespace strife::client
