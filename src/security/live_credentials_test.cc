#include "security/live_credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/test_directory.h"
#include "security/pki.h"
#include "security/secure_file.h"
#include "security/test_time.h"

namespace strife::security {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

const WallTime kNow{std::chrono::seconds(kTestUnixSeconds)};
constexpr Duration kDay = std::chrono::hours(24);

// A bank whose files are those of the CA's directory.
class LiveCredentialsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(CertificateAuthority::Create(directory_.path(), {.trust_domain = "strife.local"}, kNow));
    for (const char* name : {"bank1", "bank2"}) ASSERT_TRUE(Open().Issue({.role = Role::kBank, .name = name}, kNow));
    ASSERT_TRUE(Open().Issue({.role = Role::kClient, .name = "client"}, kNow));
    fs::copy(directory_ / "ca.crt", directory_ / "bundle.crt");
    fs::copy(directory_ / "ca.crl", directory_ / "all.crl");
    files_ = {directory_ / "bundle.crt", directory_ / "bank1.crt", directory_ / "bank1.key", directory_ / "all.crl"};
    live_ = LiveCredentials::Open(files_, Role::kBank, kNow).value();
  }
  CertificateAuthority Open() { return CertificateAuthority::Open(directory_.path()).value(); }
  // Twice, as files that have just changed may be changing still.
  LiveCredentials::Outcome PollTwice(WallTime now = kNow) {
    EXPECT_FALSE(live_->Poll(now).changed) << "taken while it may still be changing";
    return live_->Poll(now);
  }
  void Replace(const fs::path& file, const std::string& contents) {
    const mode_t mode = file.extension() == ".key" ? kPrivateMode : kPublicMode;
    ASSERT_TRUE(WriteFile(file, contents, mode, Existing::kReplace));
  }
  std::string Text(const std::string& name) const { return ReadFile(directory_ / name).value(); }
  bool Admits(const std::string& name, WallTime now = kNow) {
    return AdmitClient(*live_->current()->trust, Text(name + ".crt"), {}, "strife.local", now).has_value();
  }

  TestDirectory directory_;
  CredentialFiles files_;
  std::unique_ptr<LiveCredentials> live_;
};

TEST_F(LiveCredentialsTest, FilesThatStayTheSame_AreNotReadAgain) {
  const auto before = live_->current();
  EXPECT_FALSE(PollTwice().changed);
  EXPECT_EQ(live_->current(), before);
}

TEST_F(LiveCredentialsTest, RenewedCertificateAndKey_AreTakenTogetherOnceTheyRest) {
  const auto before = live_->current();
  ASSERT_TRUE(Open().Renew("bank1", Duration::zero(), {}, kNow));
  const auto outcome = PollTwice();
  EXPECT_TRUE(outcome.changed);
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_NE(live_->current()->key_pem, before->key_pem);
  EXPECT_EQ(live_->current()->certificate_pem, Text("bank1.crt"));
}

TEST_F(LiveCredentialsTest, KeyOfAnotherCertificate_IsRefusedOnceAndTheOldPairStays) {
  const auto before = live_->current();
  Replace(files_.key_file, Text("bank2.key"));
  const auto outcome = PollTwice();
  EXPECT_FALSE(outcome.changed);
  EXPECT_THAT(outcome.problems, ElementsAre(AllOf(HasSubstr("bank1.key"), HasSubstr("not the key of"))));
  EXPECT_EQ(live_->current(), before);
  EXPECT_THAT(live_->Poll(kNow + std::chrono::minutes(1)).problems, IsEmpty()) << "said a second time";
}

TEST_F(LiveCredentialsTest, JunkInAnyFile_IsRefusedNamingItAndTheOldOnesStay) {
  const auto before = live_->current();
  for (const fs::path& file : {files_.ca_file, files_.cert_file, files_.key_file, files_.crl_file}) {
    const std::string good = ReadFile(file).value();
    Replace(file, "junk");
    const auto outcome = PollTwice();
    EXPECT_FALSE(outcome.changed);
    ASSERT_EQ(outcome.problems.size(), 1u);
    EXPECT_THAT(outcome.problems.front(), HasSubstr(file.filename().string()));
    EXPECT_EQ(live_->current(), before);
    Replace(file, good);
    EXPECT_THAT(PollTwice().problems, IsEmpty());
  }
}

TEST_F(LiveCredentialsTest, RevocationList_IsTakenThoughTheCertificateFileIsBroken) {
  Replace(files_.cert_file, "junk");
  ASSERT_TRUE(Open().Revoke("client", kNow));
  Replace(files_.crl_file, Text("ca.crl"));
  EXPECT_TRUE(Admits("client"));
  const auto outcome = PollTwice();
  EXPECT_TRUE(outcome.changed);
  EXPECT_EQ(outcome.problems.size(), 1u);
  EXPECT_FALSE(Admits("client"));
}

TEST_F(LiveCredentialsTest, RevocationOfOneself_IsTakenAndSaid) {
  ASSERT_TRUE(Open().Revoke("bank1", kNow));
  Replace(files_.crl_file, Text("ca.crl"));
  const auto outcome = PollTwice();
  EXPECT_TRUE(outcome.changed);
  EXPECT_THAT(outcome.problems, ElementsAre(HasSubstr("revoked")));
  EXPECT_FALSE(Admits("bank1"));
}

TEST_F(LiveCredentialsTest, CertificateOfSomebodyElse_IsRefused) {
  Replace(files_.cert_file, Text("bank2.crt"));
  Replace(files_.key_file, Text("bank2.key"));
  const auto outcome = PollTwice();
  EXPECT_FALSE(outcome.changed);
  EXPECT_THAT(outcome.problems, ElementsAre(AllOf(HasSubstr("bank/bank2"), HasSubstr("bank/bank1"))));
}

TEST_F(LiveCredentialsTest, BundleThatLosesTheOwnCertificatesCa_IsRefusedAndTheOldOneStays) {
  TestDirectory other;
  ASSERT_TRUE(CertificateAuthority::Create(other.path(), {.trust_domain = "strife.local"}, kNow));
  Replace(files_.ca_file, ReadFile(other / "ca.crt").value());
  Replace(files_.crl_file, ReadFile(other / "ca.crl").value());
  const auto outcome = PollTwice();
  EXPECT_FALSE(outcome.changed);
  EXPECT_THAT(outcome.problems, ElementsAre(AllOf(HasSubstr("bundle.crt"), HasSubstr("was not taken"))));
  EXPECT_TRUE(Admits("client"));
}

TEST_F(LiveCredentialsTest, RotationOfTheCa_GoesStepByStepWithoutARefusal) {
  TestDirectory other;
  auto next = CertificateAuthority::Create(other.path(), {.trust_domain = "strife.local"}, kNow).value();
  ASSERT_TRUE(next.Issue({.role = Role::kBank, .name = "bank1"}, kNow));
  const auto text = [&](const char* name) { return ReadFile(other / name).value(); };

  Replace(files_.crl_file, Text("ca.crl") + text("ca.crl"));  // lists first, then the bundle that needs them
  Replace(files_.ca_file, Text("ca.crt") + text("ca.crt"));
  EXPECT_THAT(PollTwice().problems, IsEmpty());
  Replace(files_.key_file, text("bank1.key"));
  Replace(files_.cert_file, text("bank1.crt"));
  EXPECT_THAT(PollTwice().problems, IsEmpty());
  EXPECT_TRUE(Admits("client")) << "the old CA still counts";
  Replace(files_.ca_file, text("ca.crt"));
  EXPECT_THAT(PollTwice().problems, IsEmpty());
  EXPECT_FALSE(Admits("client")) << "the old CA no longer counts";
}

TEST_F(LiveCredentialsTest, ListThatGrowsStale_RenewsConnectionsOnceAndSaysSo) {
  const auto before = live_->current();
  const WallTime later = kNow + kDefaultRevocationListLifetime;
  const auto outcome = live_->Poll(later);
  EXPECT_TRUE(outcome.changed);
  EXPECT_THAT(outcome.problems, ElementsAre(HasSubstr("grown stale")));
  EXPECT_NE(live_->current(), before) << "connections would not be made again";
  EXPECT_FALSE(Admits("client", later));
  EXPECT_FALSE(live_->Poll(later).changed);

  ASSERT_TRUE(Open().RefreshRevocationList(Duration::zero(), later));
  Replace(files_.crl_file, Text("ca.crl"));
  EXPECT_TRUE(PollTwice(later).changed);
  EXPECT_TRUE(Admits("client", later));
}

TEST_F(LiveCredentialsTest, Reload_TakesAtOnceAndSaysAgainWhatIsWrong) {
  Replace(files_.crl_file, "junk");
  EXPECT_EQ(live_->Reload(kNow).problems.size(), 1u);
  EXPECT_EQ(live_->Reload(kNow).problems.size(), 1u);
  ASSERT_TRUE(Open().Revoke("client", kNow));
  Replace(files_.crl_file, Text("ca.crl"));
  EXPECT_TRUE(live_->Reload(kNow).changed);
  EXPECT_FALSE(Admits("client"));
}

TEST_F(LiveCredentialsTest, EndingSoon_WarnsFourteenDaysBeforeTheCertificateAndSevenBeforeTheList) {
  const auto ending = [&](WallTime now) { return EndingSoon(*live_->current(), files_, now); };
  EXPECT_THAT(ending(kNow), IsEmpty());
  const WallTime list_end = kNow + kDefaultRevocationListLifetime;
  EXPECT_THAT(ending(list_end - 7 * kDay), IsEmpty());
  EXPECT_THAT(ending(list_end - 6 * kDay), ElementsAre(AllOf(HasSubstr("all.crl"), HasSubstr("6 days"))));
  const WallTime end = kNow + kDefaultCertificateLifetime;
  EXPECT_THAT(ending(end - 14 * kDay), ElementsAre(HasSubstr("all.crl")));
  EXPECT_THAT(ending(end - 13 * kDay).front(), AllOf(HasSubstr("bank1.crt"), HasSubstr("13 days")));
  EXPECT_THAT(ending(end).front(), HasSubstr("has ended"));
}

}  // namespace
}  // namespace strife::security
