#include "client/session_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/test_directory.h"

namespace strife::client {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class SessionFileTest : public ::testing::Test {
 protected:
  SessionFileTest() {
    session_ = {.gateway = "127.0.0.1:50052",
                .username = "user1",
                .access_token = "header.body.signature",
                .access_expires_at = WallTime(std::chrono::hours(400'000)),
                .refresh_token = "strife_rt_secret",
                .refresh_expires_at = WallTime(std::chrono::hours(400'100)),
                .accounts = {{"bank1", "user1"}, {"bank2", "user1"}}};
  }

  TestDirectory folder_;
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
  EXPECT_EQ(ModeOf(folder_ / "data/session.json"), 0600);
  EXPECT_EQ(ModeOf(folder_ / "data"), 0700);
}

TEST_F(SessionFileTest, Load_ReadableByOthers_IsRefused) {
  SessionFile file(folder_.path());
  ASSERT_TRUE(file.Save(session_));
  ::chmod((folder_ / "session.json").c_str(), 0644);
  auto loaded = file.Load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::kPermissionDenied);
}

TEST_F(SessionFileTest, Load_None_SaysToLogIn) {
  auto loaded = SessionFile(folder_.path()).Load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::kUnauthenticated);
  EXPECT_THAT(loaded.error().message, HasSubstr("strife login"));
}

TEST_F(SessionFileTest, Load_Damaged_SaysSoWithoutQuotingIt) {
  SessionFile file(folder_.path());
  ASSERT_TRUE(file.Save(session_));
  std::ofstream(folder_ / "session.json") << "{\"access_token\": \"sesame\"";
  auto loaded = file.Load();
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("damaged"));
  EXPECT_THAT(loaded.error().message, Not(HasSubstr("sesame")));
}

TEST_F(SessionFileTest, Remove_EndsTheSessionAndMayBeRepeated) {
  SessionFile file(folder_.path());
  ASSERT_TRUE(file.Save(session_));
  EXPECT_TRUE(file.Remove());
  EXPECT_TRUE(file.Remove());
  EXPECT_FALSE(file.Load());
}

TEST_F(SessionFileTest, Lock_LetsOneInAtATime) {
  SessionFile file(folder_.path());
  std::atomic<bool> released = false;
  auto lock = std::make_unique<FileLock>(*file.Lock());
  std::thread other([&] {
    auto second = SessionFile(folder_.path()).Lock();
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
