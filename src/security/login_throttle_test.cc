#include "security/login_throttle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/limits.h"

namespace strife::security {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr WallTime kStart{seconds(1'700'000'000)};
constexpr Duration kDay = hours(24);

// The throttle over a durable store. A restart is nothing to it: between two steps it remembers nothing.
class LoginThrottleTest : public ::testing::Test {
 protected:
  LoginOutcome Run(const LoginInput& input) {
    GatewayKeys keys;
    LoginThrottle::CollectKeys(input, keys);
    GatewayRows rows;
    for (const LoginCounterKey& key : keys.login_counters) {
      if (const auto found = counters_.find(key); found != counters_.end()) rows.login_counters.insert(*found);
    }
    GatewayRecords records;
    LoginOutcome outcome = LoginThrottle::Step({{}, now_}, input, rows, records);
    wrote_ = !records.empty();
    audit_ = records.audit;
    for (const LoginCounterRecord& counter : records.login_counters) counters_[counter.key] = counter;
    if (records.forget_before) {
      std::erase_if(counters_, [&](const auto& row) { return row.second.forget_at < *records.forget_before; });
    }
    return outcome;
  }

  LoginOutcome Begin(const LoginAttempt& attempt) { return Run(LoginBegun{{1, 0}, attempt}); }
  // Whether the password would have been looked at.
  bool Guess(const LoginAttempt& attempt) {
    const LoginOutcome begun = Begin(attempt);
    if (begun.result != LoginResult::kGoOn) return false;
    last_failure_ = Run(LoginFailed{{2, 0}, begun.attempt});
    return true;
  }
  int Guesses(const LoginAttempt& attempt, int tries) {
    int let_through = 0;
    for (int i = 0; i < tries; ++i) let_through += Guess(attempt);
    return let_through;
  }
  // With the right password.
  bool LogIn(const LoginAttempt& attempt) {
    const LoginOutcome begun = Begin(attempt);
    if (begun.result != LoginResult::kGoOn) return false;
    return Succeed(begun.attempt).result == LoginResult::kSucceeded;
  }
  LoginOutcome Succeed(const LoginAttempt& attempt) {
    LoginSucceeded input{{3, 0}, attempt, {}};
    input.session.session.session_id = input.session.refresh_token.session_id = Uuid{{1}};
    return Run(input);
  }
  void Prune() { Run(LoginsPruned{}); }

  std::map<LoginCounterKey, LoginCounterRecord> counters_;
  WallTime now_ = kStart;
  LoginOutcome last_failure_;
  bool wrote_ = false;
  std::vector<protocol::AuditRecord> audit_;
};

LoginAttempt From(const std::string& certificate, const std::string& user = "ann") {
  return {user, certificate, "192.0.2.1"};
}
LoginAttempt Elsewhere(int place, const std::string& user = "ann") {
  return {user, "stolen" + std::to_string(place), "198.51.100." + std::to_string(place)};
}

constexpr int kLimit = limits::kMaxDeviceLoginFailures;
static_assert(kLimit < 10);

TEST_F(LoginThrottleTest, GuessingFromOneCertificate_IsLockedBeforeTheTenthTry) {
  EXPECT_EQ(Guesses(From("thief"), 1000), kLimit);
  EXPECT_FALSE(LogIn(From("thief"))) << "the right password does not help while it is locked";
  EXPECT_EQ(last_failure_.scope, LoginScope::kDevice);
  EXPECT_EQ(last_failure_.blocked_until, now_ + minutes(15));
}

TEST_F(LoginThrottleTest, GuessesAtTheSameTime_AreCountedBeforeTheirPasswordsAreLookedAt) {
  int let_through = 0;
  for (int i = 0; i < 1000; ++i) let_through += Begin(From("thief")).result == LoginResult::kGoOn;
  EXPECT_EQ(let_through, kLimit);
}

TEST_F(LoginThrottleTest, ARefusal_WritesNothing) {
  Guesses(From("thief"), kLimit);
  EXPECT_EQ(Begin(From("thief")).result, LoginResult::kBlocked);
  EXPECT_FALSE(wrote_);
}

TEST_F(LoginThrottleTest, TheLockEndsByItself_AndGrowsWithEachFurtherFailure) {
  Guesses(From("thief"), kLimit);
  now_ += minutes(15) - seconds(1);
  EXPECT_FALSE(Guess(From("thief")));
  now_ += seconds(1);
  EXPECT_EQ(Guesses(From("thief"), 5), 1);
  EXPECT_EQ(last_failure_.blocked_until, now_ + minutes(30));
  for (int i = 0; i < 20; ++i) {
    now_ = last_failure_.blocked_until;
    EXPECT_EQ(Guesses(From("thief"), 5), 1);
  }
  EXPECT_EQ(last_failure_.blocked_until - now_, hours(4));
}

TEST_F(LoginThrottleTest, TheUserHerself_GetsInWhenTheLockHasEnded) {
  Guesses(From("laptop"), kLimit);
  now_ += minutes(15);
  EXPECT_TRUE(LogIn(From("laptop")));
  EXPECT_EQ(Guesses(From("laptop"), kLimit - 1), kLimit - 1) << "a login starts the count anew";
  EXPECT_TRUE(LogIn(From("laptop")));
}

TEST_F(LoginThrottleTest, AnotherCertificate_LocksNobodyOutElsewhere) {
  for (int day = 0; day < 10; ++day, now_ += kDay) {
    Guesses(From("thief"), 1000);
    EXPECT_TRUE(LogIn(From("laptop"))) << day;
  }
}

TEST_F(LoginThrottleTest, AnotherCertificate_DoesNotKeepAUserFromHerFirstLoginEither) {
  for (WallTime end = now_ + 10 * kDay; now_ < end; now_ += minutes(1)) Guess(From("thief"));
  EXPECT_TRUE(LogIn(From("new-laptop")));
}

TEST_F(LoginThrottleTest, AFamiliarDevice_GetsInWhateverManyCertificatesDo) {
  ASSERT_TRUE(LogIn(From("laptop")));
  for (int i = 0; i < 100; ++i) Guesses(Elsewhere(i), 100);
  for (int i = 0; i < 1000; ++i) Guess(From("laptop", "user" + std::to_string(i)));
  EXPECT_EQ(Begin(From("tablet")).result, LoginResult::kBlocked) << "strangers wait";
  EXPECT_TRUE(LogIn(From("laptop")));
}

TEST_F(LoginThrottleTest, FamiliarityEnds) {
  ASSERT_TRUE(LogIn(From("laptop")));
  now_ += kFamiliarFor - seconds(1);
  EXPECT_TRUE(Begin(From("laptop")).attempt.familiar);
  now_ += seconds(1);
  EXPECT_FALSE(Begin(From("laptop")).attempt.familiar);
}

TEST_F(LoginThrottleTest, GuessingAtOneUserFromManyCertificates_ComesDownToAFewADay) {
  int let_through = 0;
  for (WallTime end = now_ + kDay; now_ < end; now_ += seconds(10)) {
    for (int i = 0; i < 50; ++i) let_through += Guess(Elsewhere(i));
  }
  EXPECT_GE(let_through, limits::kMaxUserLoginFailures);
  EXPECT_LE(let_through, limits::kMaxUserLoginFailures + 100);
}

TEST_F(LoginThrottleTest, OnePasswordOnManyUsersFromOneCertificate_ComesDownToTwoAMinute) {
  int let_through = 0;
  for (int second = 0; second < 3600; ++second, now_ += seconds(1)) {
    for (int i = 0; i < 10; ++i) let_through += Guess(From("thief", "user" + std::to_string(10 * second + i)));
  }
  EXPECT_GE(let_through, limits::kMaxCertificateLoginFailures);
  EXPECT_LE(let_through, limits::kMaxCertificateLoginFailures + 120);
}

TEST_F(LoginThrottleTest, ManyCertificatesAtOneAddress_AreStrangersTogether) {
  int let_through = 0;
  for (int i = 0; i < 1000; ++i) let_through += Guess(From("cert" + std::to_string(i), "user" + std::to_string(i)));
  EXPECT_EQ(let_through, limits::kMaxAddressLoginFailures);
}

TEST_F(LoginThrottleTest, FirstLoginsUnderOneCertificate_DoNotAddUp) {
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(LogIn(From("wallet", "user" + std::to_string(i)))) << i;
}

TEST_F(LoginThrottleTest, OtherUsersAtALockedOnesCertificate_GoOn) {
  Guesses(From("wallet"), 1000);
  EXPECT_TRUE(LogIn(From("wallet", "bob")));
}

TEST_F(LoginThrottleTest, StrangersAtABusyCertificate_WaitAMinuteAtMost) {
  for (int i = 0; i < 100'000; ++i) {
    Guess(From("wallet", "user" + std::to_string(i)));
    now_ += Duration(10'000);
  }
  const LoginOutcome blocked = Begin(From("wallet", "bob"));
  if (blocked.result == LoginResult::kBlocked) {
    EXPECT_EQ(blocked.scope, LoginScope::kCertificate);
    EXPECT_LE(blocked.blocked_until, now_ + minutes(1));
    now_ = blocked.blocked_until;
  }
  EXPECT_TRUE(LogIn(From("wallet", "bob")));
}

TEST_F(LoginThrottleTest, ANameThatDoesNotExist_IsTreatedAlike) {
  Guesses(From("thief", "ann"), kLimit - 1);
  Guesses(From("thief", "nobody"), kLimit - 1);
  for (const char* user : {"ann", "nobody"}) {
    EXPECT_TRUE(Guess(From("thief", user)));
    const LoginOutcome blocked = Begin(From("thief", user));
    EXPECT_EQ(blocked.result, LoginResult::kBlocked);
    EXPECT_EQ(blocked.blocked_until, now_ + minutes(15));
  }
}

TEST_F(LoginThrottleTest, AClockThatIsSetBack_LocksNobodyOutForLonger) {
  now_ = kStart + 1000 * kDay;
  Guesses(From("laptop"), kLimit);
  now_ = kStart;
  const LoginOutcome blocked = Begin(From("laptop"));
  EXPECT_EQ(blocked.result, LoginResult::kBlocked);
  EXPECT_LE(blocked.blocked_until, kStart + kDay);
}

TEST_F(LoginThrottleTest, Pruned_CountersAreGoneOnceTheySayNothing) {
  Guesses(From("thief"), kLimit);
  ASSERT_TRUE(LogIn(From("laptop")));
  Prune();
  EXPECT_FALSE(Guess(From("thief"))) << "a lock outlives pruning";
  now_ += 2 * kDay;
  Prune();
  EXPECT_EQ(counters_.size(), 1u) << "the familiar device";
  EXPECT_TRUE(Begin(From("laptop")).attempt.familiar);
  now_ += kFamiliarFor;
  Prune();
  EXPECT_TRUE(counters_.empty());
}

TEST_F(LoginThrottleTest, AFloodOfNames_LeavesABoundedNumberOfCounters) {
  std::size_t most = 0;
  for (int second = 0; second < 86'400; second += 2, now_ += seconds(2)) {
    Guess(From("thief", "user" + std::to_string(second)));
    if (second % 600 == 0) Prune();
    most = std::max(most, counters_.size());
  }
  EXPECT_LE(most, 1000u);
}

TEST_F(LoginThrottleTest, FailuresLocksAndLogins_AreAuditedWithWhatTheyChange) {
  Guess(From("thief"));
  ASSERT_EQ(audit_.size(), 1u);
  EXPECT_EQ(audit_[0].event, protocol::AuditEvent::kLoginFailed);
  EXPECT_EQ(audit_[0].actor, "client/thief");
  EXPECT_EQ(audit_[0].peer, "192.0.2.1");
  EXPECT_EQ(audit_[0].subject, "user/ann");
  EXPECT_EQ(audit_[0].detail, "");
  Guesses(From("thief"), kLimit - 1);
  ASSERT_EQ(audit_.size(), 1u);
  EXPECT_EQ(audit_[0].detail, "blocks user at this certificate for 900 s");
  EXPECT_FALSE(Guess(From("thief")));
  EXPECT_TRUE(audit_.empty()) << "a flood of blocked logins must not fill the log";
  ASSERT_TRUE(LogIn(From("laptop")));
  ASSERT_EQ(audit_.size(), 1u);
  EXPECT_EQ(audit_[0].event, protocol::AuditEvent::kLogin);
  EXPECT_EQ(audit_[0].actor, "user/ann");
  EXPECT_EQ(audit_[0].detail, "certificate=laptop");
}

TEST_F(LoginThrottleTest, Success_OpensTheSessionInTheSameStep) {
  const LoginOutcome outcome = Succeed(Begin(From("laptop")).attempt);
  EXPECT_EQ(outcome.reply_to, (protocol::ReplyTo{3, 0}));
  ASSERT_TRUE(outcome.session);
  EXPECT_EQ(outcome.session->result, SessionResult::kOk);
}

}  // namespace
}  // namespace strife::security
