#include "security/session.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "security/refresh_token.h"
#include "security/revoked_sessions.h"

namespace strife::security {
namespace {

constexpr WallTime kStart{std::chrono::seconds(1'700'000'000)};
constexpr Duration kDay = std::chrono::hours(24);

Sha256 Digest(std::uint8_t fill) {
  Sha256 digest;
  digest.fill(fill);
  return digest;
}
const Sha256 kCertificate = Digest(0xcc);
const Uuid kSession = *Uuid::Parse("0190163d-8694-739b-aea5-966c26f8ad91");

Now At(Duration after) { return {MonotonicTime(after), kStart + after}; }

// The durable store between batches: what the records have made of it.
struct Store {
  GatewayRows rows;

  void Apply(const GatewayRecords& records) {
    for (const auto& session : records.sessions) rows.sessions.insert_or_assign(session.session_id, session);
    for (const auto& token : records.refresh_tokens) rows.refresh_tokens.insert_or_assign(token.token_hash, token);
  }
  // Just the rows the input asks for, each token bringing its session along.
  GatewayRows Load(const SessionInput& input) const {
    GatewayKeys keys;
    Sessions::CollectKeys(input, keys);
    GatewayRows found;
    for (const Sha256& hash : keys.refresh_tokens) {
      const auto token = rows.refresh_tokens.find(hash);
      if (token == rows.refresh_tokens.end()) continue;
      found.refresh_tokens.insert(*token);
      if (const auto it = rows.sessions.find(token->second.session_id); it != rows.sessions.end()) {
        found.sessions.insert(*it);
      }
    }
    for (const Uuid& id : keys.sessions) {
      if (const auto it = rows.sessions.find(id); it != rows.sessions.end()) found.sessions.insert(*it);
    }
    return found;
  }
  SessionOutcome Run(Duration after, const SessionInput& input) {
    GatewayRows loaded = Load(input);
    GatewayRecords records;
    SessionOutcome outcome = Sessions::Step(At(after), input, loaded, records);
    last_was_empty = records.empty();
    audit = records.audit;
    Apply(records);
    return outcome;
  }
  bool last_was_empty = false;
  std::vector<protocol::AuditRecord> audit;
};

SessionOpened Opened() {
  return {{1, 0},
          {kSession, "alice", kCertificate, kStart, kStart + 7 * kDay, std::nullopt},
          {Digest(1), kSession, kStart + 7 * kDay, std::nullopt}};
}

RefreshPresented Refresh(std::uint8_t token, std::uint8_t next, const Sha256& certificate = kCertificate) {
  return {{2, 0}, Digest(token), certificate, Digest(next), kStart + 30 * kDay};
}

class SessionTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(store_.Run({}, Opened()).result, SessionResult::kOk); }
  SessionResult Try(Duration after, const SessionInput& input) { return store_.Run(after, input).result; }
  Store store_;
};

TEST_F(SessionTest, RefreshToken_IsRotated) {
  const SessionOutcome outcome = store_.Run(kDay, Refresh(1, 2));
  EXPECT_EQ(outcome.result, SessionResult::kOk);
  EXPECT_EQ(outcome.reply_to, (protocol::ReplyTo{2, 0}));
  ASSERT_TRUE(outcome.session);
  EXPECT_EQ(outcome.session->username, "alice");
  EXPECT_EQ(store_.rows.refresh_tokens.at(Digest(1)).used_at, kStart + kDay);
  EXPECT_EQ(Try(kDay, Refresh(2, 3)), SessionResult::kOk);
}

TEST_F(SessionTest, NewToken_NeverOutlivesItsSession) {
  EXPECT_EQ(store_.Run(kDay, Refresh(1, 2)).refresh_expires_at, kStart + 7 * kDay);
  EXPECT_EQ(store_.rows.refresh_tokens.at(Digest(2)).expires_at, kStart + 7 * kDay);
}

TEST_F(SessionTest, UsedTokenWhoseSuccessorsAreUnused_GetsAnother_ForTheAnswerMayBeLost) {
  ASSERT_EQ(Try(kDay, Refresh(1, 2)), SessionResult::kOk);
  const SessionOutcome again = store_.Run(2 * kDay, Refresh(1, 3));
  EXPECT_EQ(again.result, SessionResult::kOk);
  EXPECT_TRUE(store_.audit.empty());
  EXPECT_EQ(store_.rows.refresh_tokens.at(Digest(1)).used_at, kStart + kDay) << "when it was used first";
  EXPECT_EQ(Try(2 * kDay, Refresh(3, 4)), SessionResult::kOk);
  EXPECT_EQ(Try(3 * kDay, Refresh(3, 5)), SessionResult::kOk) << "and so at every step";
  EXPECT_FALSE(store_.rows.sessions.at(kSession).revoked_at);
}

TEST_F(SessionTest, AnAnswerThatCameAfterAll_IsAsGoodAsTheLaterOne_UntilOneIsUsed) {
  ASSERT_EQ(Try(kDay, Refresh(1, 2)), SessionResult::kOk);
  ASSERT_EQ(Try(kDay, Refresh(1, 3)), SessionResult::kOk);
  EXPECT_EQ(Try(kDay, Refresh(2, 4)), SessionResult::kOk);
  const SessionOutcome other = store_.Run(2 * kDay, Refresh(3, 5));
  EXPECT_EQ(other.result, SessionResult::kReused) << "two have gone on from the same token";
  ASSERT_EQ(store_.audit.size(), 1u);
  EXPECT_EQ(Try(2 * kDay, Refresh(4, 6)), SessionResult::kRevoked);
}

TEST_F(SessionTest, ThiefWhoShowsTheUsedTokenFirst_IsFoundOutByTheOwner) {
  ASSERT_EQ(Try(kDay, Refresh(1, 2)), SessionResult::kOk);  // the owner's
  ASSERT_EQ(Try(kDay, Refresh(1, 7)), SessionResult::kOk);  // the thief's
  ASSERT_EQ(Try(kDay, Refresh(7, 8)), SessionResult::kOk);
  EXPECT_EQ(Try(kDay, Refresh(2, 3)), SessionResult::kReused);
  EXPECT_EQ(Try(kDay, Refresh(8, 9)), SessionResult::kRevoked);
}

TEST_F(SessionTest, UserWhoIsNotAdmitted_KeepsTheToken) {
  RefreshPresented suspended = Refresh(1, 2);
  std::string asked;
  suspended.admit = [&](const SessionRecord& session) {
    asked = session.username;
    return SessionResult::kNotAdmitted;
  };
  EXPECT_EQ(Try(kDay, suspended), SessionResult::kNotAdmitted);
  EXPECT_EQ(asked, "alice");
  EXPECT_TRUE(store_.last_was_empty);
  EXPECT_EQ(Try(kDay, Refresh(1, 2)), SessionResult::kOk);
  suspended.new_token_hash = Digest(9);
  EXPECT_EQ(Try(kDay, suspended), SessionResult::kNotAdmitted) << "also of a token that may be shown again";
  EXPECT_FALSE(store_.rows.refresh_tokens.contains(Digest(9)));
}

TEST_F(SessionTest, TokenLeftBehind_RevokesTheWholeFamily_WhoeverIsAdmitted) {
  ASSERT_EQ(Try(kDay, Refresh(1, 2)), SessionResult::kOk);
  ASSERT_EQ(Try(kDay, Refresh(2, 3)), SessionResult::kOk);
  RefreshPresented again = Refresh(1, 9);
  again.admit = [](const SessionRecord&) { return SessionResult::kNotAdmitted; };
  const SessionOutcome reused = store_.Run(2 * kDay, again);
  EXPECT_EQ(reused.result, SessionResult::kReused);
  ASSERT_EQ(store_.audit.size(), 1u);
  EXPECT_EQ(store_.audit[0].event, protocol::AuditEvent::kRefreshTokenReused);
  EXPECT_EQ(store_.audit[0].subject, kSession.ToString());
  ASSERT_TRUE(reused.session);
  EXPECT_EQ(reused.session->revoked_at, kStart + 2 * kDay);
  EXPECT_EQ(Try(2 * kDay, Refresh(3, 4)), SessionResult::kRevoked);
  EXPECT_FALSE(store_.rows.refresh_tokens.contains(Digest(9)));
}

TEST_F(SessionTest, SameTokenTwiceInOneBatch_GivesTwoSuccessorsOfWhichOneGoesOn) {
  GatewayRows rows = store_.Load(Refresh(1, 2));
  GatewayRecords records;
  EXPECT_EQ(Sessions::Step(At(kDay), Refresh(1, 2), rows, records).result, SessionResult::kOk);
  EXPECT_EQ(Sessions::Step(At(kDay), Refresh(1, 3), rows, records).result, SessionResult::kOk);
  EXPECT_TRUE(records.audit.empty());
  store_.Apply(records);
  EXPECT_EQ(Try(kDay, Refresh(3, 4)), SessionResult::kOk);
  EXPECT_EQ(Try(kDay, Refresh(2, 5)), SessionResult::kReused);
}

TEST_F(SessionTest, OtherCertificate_IsRefusedAndDoesNotBurnTheToken) {
  EXPECT_EQ(Try(kDay, Refresh(1, 2, Digest(0xdd))), SessionResult::kOtherCertificate);
  EXPECT_TRUE(store_.last_was_empty);
  EXPECT_EQ(Try(kDay, Refresh(1, 2)), SessionResult::kOk);
}

TEST_F(SessionTest, UsedTokenWithOtherCertificate_GetsNothingAndDoesNotEndTheSession) {
  ASSERT_EQ(Try(kDay, Refresh(1, 2)), SessionResult::kOk);
  EXPECT_EQ(Try(kDay, Refresh(1, 3, Digest(0xdd))), SessionResult::kOtherCertificate);
  EXPECT_EQ(Try(kDay, Refresh(2, 3)), SessionResult::kOk);
  EXPECT_EQ(Try(kDay, Refresh(1, 4, Digest(0xdd))), SessionResult::kOtherCertificate);
  EXPECT_EQ(Try(kDay, Refresh(3, 4)), SessionResult::kOk);
}

TEST_F(SessionTest, ExpiredToken_IsRefused) {
  EXPECT_EQ(Try(7 * kDay, Refresh(1, 2)), SessionResult::kExpired);
  EXPECT_TRUE(store_.last_was_empty);
  EXPECT_EQ(Try(7 * kDay - Duration(1), Refresh(1, 2)), SessionResult::kOk);
}

TEST_F(SessionTest, UnknownToken_IsRefused) {
  EXPECT_EQ(Try(kDay, Refresh(7, 8)), SessionResult::kUnknown);
  EXPECT_TRUE(store_.last_was_empty);
}

TEST_F(SessionTest, RevokedSession_RefusesItsUnusedToken) {
  const SessionOutcome revoked = store_.Run(kDay, SessionRevoked{{3, 0}, kSession});
  EXPECT_EQ(revoked.result, SessionResult::kOk);
  EXPECT_EQ(revoked.session->revoked_at, kStart + kDay);
  ASSERT_EQ(store_.audit.size(), 1u);
  EXPECT_EQ(store_.audit[0].event, protocol::AuditEvent::kLogout);
  EXPECT_EQ(Try(kDay, Refresh(1, 2)), SessionResult::kRevoked);
}

TEST_F(SessionTest, EndedByAnOperator_IsAuditedAsThat_AndNotAsTheUsersLogout) {
  const SessionRevoked ended{{3, 0}, kSession, protocol::AuditOrigin{"operator/olga", "192.0.2.9"}};
  EXPECT_EQ(store_.Run(kDay, ended).result, SessionResult::kOk);
  ASSERT_EQ(store_.audit.size(), 1u);
  EXPECT_EQ(store_.audit[0].event, protocol::AuditEvent::kSessionEnded);
  EXPECT_EQ(store_.audit[0].actor, "operator/olga");
  EXPECT_EQ(store_.audit[0].peer, "192.0.2.9");
  EXPECT_EQ(store_.audit[0].subject, kSession.ToString());
}

TEST_F(SessionTest, RevokingTwice_KeepsTheFirstTimeAndWritesNothing) {
  ASSERT_EQ(Try(kDay, SessionRevoked{{3, 0}, kSession}), SessionResult::kOk);
  EXPECT_EQ(Try(2 * kDay, SessionRevoked{{3, 0}, kSession}), SessionResult::kOk);
  EXPECT_TRUE(store_.last_was_empty);
  EXPECT_EQ(store_.rows.sessions.at(kSession).revoked_at, kStart + kDay);
}

TEST_F(SessionTest, RevokingAnUnknownSession_IsRefused) {
  EXPECT_EQ(Try(kDay, SessionRevoked{{3, 0}, Uuid{{1}}}), SessionResult::kUnknown);
}

TEST_F(SessionTest, OpenedAndRefreshedInOneBatch_SeesItsOwnRows) {
  GatewayRows rows;
  GatewayRecords records;
  ASSERT_EQ(Sessions::Step(At({}), Opened(), rows, records).result, SessionResult::kOk);
  EXPECT_EQ(Sessions::Step(At({}), Refresh(1, 2), rows, records).result, SessionResult::kOk);
}

TEST(RevokedSessions, KnowsWhatWasAddedUntilPruned) {
  RevokedSessions revoked;
  const Uuid early{{1}}, late{{2}}, never{{3}};
  revoked.Add(early, At({}));
  revoked.Add(late, At(kDay));
  EXPECT_TRUE(revoked.Contains(early));
  EXPECT_FALSE(revoked.Contains(never));
  revoked.Prune(At(kDay));
  EXPECT_FALSE(revoked.Contains(early));
  EXPECT_TRUE(revoked.Contains(late));
  EXPECT_EQ(revoked.size(), 1u);
}

TEST(RevokedSessions, KnowsThemForTheLongestLifeOfATokenThatCanBeConfigured) {
  RevokedSessions revoked;
  revoked.Add(kSession, At({}));
  revoked.Prune(At(std::chrono::seconds(limits::kMaxAccessTokenSeconds)));
  EXPECT_TRUE(revoked.Contains(kSession));
}

TEST(RevokedSessions, AClockThatJumpsAheadAndBack_ForgetsNothingEarly) {
  RevokedSessions revoked;
  revoked.Add(kSession, At(kDay));
  revoked.Prune({At(kDay + std::chrono::seconds(10)).monotonic, kStart + 300 * kDay});
  EXPECT_TRUE(revoked.Contains(kSession));
}

TEST(RevokedSessions, AClockThatIsSetBack_ForgetsNothingBeforeItsTimeHasComeAgain) {
  RevokedSessions revoked;
  revoked.Add(kSession, At(kDay));  // its tokens are good until some minutes later, by the clock of then
  revoked.Prune({At(2 * kDay).monotonic, kStart + kDay});
  EXPECT_TRUE(revoked.Contains(kSession));
  revoked.Prune({At(3 * kDay).monotonic, kStart + 2 * kDay});
  EXPECT_FALSE(revoked.Contains(kSession));
}

TEST(RefreshToken, TextsAreFreshAndHashToWhatIsStored) {
  const NewRefreshToken one = MakeRefreshToken(), other = MakeRefreshToken();
  EXPECT_NE(one.text, other.text);
  EXPECT_EQ(one.text.size(), kRefreshTokenPrefix.size() + 43);
  EXPECT_EQ(HashRefreshToken(one.text), one.hash);
  EXPECT_NE(HashRefreshToken(other.text), one.hash);
}

TEST(RefreshToken, TextThatCannotBeOne_IsRefused) {
  const std::string good = MakeRefreshToken().text;
  for (const std::string& bad : {std::string(), std::string("strife_rt_"), good + "A", good.substr(0, good.size() - 1),
                                 good.substr(10), "x" + good, good + "="}) {
    EXPECT_FALSE(HashRefreshToken(bad)) << bad;
  }
}

}  // namespace
}  // namespace strife::security
