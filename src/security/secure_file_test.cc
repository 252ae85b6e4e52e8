// Files stay what they are when a call to the operating system fails, and are on the disk when it is said so. The calls
// are this program's own: what is defined here comes before the C library's.
#include "security/secure_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <vector>

#include "base/test_directory.h"
#include "security/credentials.h"
#include "security/pki.h"
#include "security/test_time.h"
#include "security/token_keys.h"

namespace {

std::function<bool(const std::string& to)> rename_fails;
std::vector<std::string>* synced = nullptr;

}  // namespace

extern "C" int rename(const char* from, const char* to) noexcept {
  if (rename_fails && rename_fails(to)) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to));
}

extern "C" int fsync(int fd) {
  std::error_code error;
  if (synced != nullptr) {
    synced->push_back(std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), error).string());
  }
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

namespace strife::security {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

const WallTime kNow{std::chrono::seconds(kTestUnixSeconds)};

class DurableFile : public ::testing::Test {
 protected:
  ~DurableFile() override {
    rename_fails = nullptr;
    synced = nullptr;
  }
  static void FailRenamesTo(const std::string& ending) {
    rename_fails = [ending](const std::string& to) { return to.ends_with(ending); };
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
      names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }
  std::string Read(const std::string& name) const { return ReadFile(directory_ / name).value(); }
  Status Pair(const std::string& contents, Existing existing) const {
    return WritePair({directory_ / "a.key", contents, kPrivateMode}, {directory_ / "a.crt", contents, kPublicMode},
                     existing);
  }

  TestDirectory directory_;
};

TEST_F(DurableFile, Pair_IsWrittenAndReplaced_AndNothingElseIsLeft) {
  ASSERT_TRUE(Pair("old", Existing::kRefuse));
  EXPECT_EQ(Pair("new", Existing::kRefuse).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(Read("a.key"), "old");
  ASSERT_TRUE(Pair("new", Existing::kReplace));
  EXPECT_EQ(Read("a.key"), "new");
  EXPECT_EQ(Read("a.crt"), "new");
  EXPECT_EQ(ModeOf(directory_ / "a.key"), 0600);
  EXPECT_THAT(Names(), ElementsAre("a.crt", "a.key"));
}

TEST_F(DurableFile, PairWhoseSecondCannotBeMoved_IsAsItWas) {
  ASSERT_TRUE(Pair("old", Existing::kRefuse));
  FailRenamesTo("a.crt");
  EXPECT_FALSE(Pair("new", Existing::kReplace));
  EXPECT_EQ(Read("a.key"), "old");
  EXPECT_EQ(Read("a.crt"), "old");
  EXPECT_THAT(Names(), ElementsAre("a.crt", "a.key"));
}

TEST_F(DurableFile, PairOfWhichTheSecondIsTaken_LeavesNoFirst) {
  ASSERT_TRUE(WriteFile(directory_ / "a.crt", "other", kPublicMode, Existing::kRefuse));
  EXPECT_EQ(Pair("new", Existing::kRefuse).error().code, ErrorCode::kAlreadyExists);
  EXPECT_THAT(Names(), ElementsAre("a.crt"));
}

TEST_F(DurableFile, RenewalThatFailsHalfWay_LeavesKeyAndCertificateThatBelongTogether) {
  ASSERT_TRUE(CertificateAuthority::Create(directory_.path(), {.trust_domain = "strife.local"}, kNow));
  ASSERT_TRUE(CertificateAuthority::Open(directory_.path())->Issue({.role = Role::kBank, .name = "bank1"}, kNow));
  const std::string key = Read("bank1.key");
  FailRenamesTo("bank1.crt");
  EXPECT_FALSE(CertificateAuthority::Open(directory_.path())->Renew("bank1", Duration::zero(), {}, kNow));
  EXPECT_EQ(Read("bank1.key"), key);
  rename_fails = nullptr;
  ASSERT_TRUE(CertificateAuthority::Open(directory_.path())->Renew("bank1", Duration::zero(), {}, kNow));
  EXPECT_NE(Read("bank1.key"), key);
}

TEST_F(DurableFile, RetiredTokenKey_IsGoneFromTheDiskToo) {
  const std::string kid = TokenKeys::Add(directory_.path(), kNow).value();
  std::vector<std::string> seen;
  synced = &seen;
  ASSERT_TRUE(TokenKeys::Remove(directory_.path(), kid));
  EXPECT_THAT(seen, Contains(std::filesystem::canonical(directory_.path()).string()));
  EXPECT_TRUE(Names().empty());
  EXPECT_EQ(RemoveFile(directory_ / "a.key").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace strife::security
