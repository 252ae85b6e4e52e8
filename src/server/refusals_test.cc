#include "server/refusals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace strife::server {
namespace {

using ::testing::IsEmpty;

Now At(int seconds) {
  return {MonotonicTime(std::chrono::seconds(seconds)), WallTime(std::chrono::seconds(1'000'000 + seconds))};
}

protocol::AuditRecord Refusal(const std::string& actor, const std::string& peer = "10.0.0.1:4711") {
  protocol::AuditRecord record;
  record.event = protocol::AuditEvent::kCallRefused;
  record.actor = actor;
  record.peer = peer;
  record.subject = "/strife.v1.Bank/ExecuteBatch";
  record.detail = "AG01";
  return record;
}

TEST(Refusals, TheFirst_IsToldAtOnce_WithWhoAndWhere) {
  Refusals refusals;
  refusals.Count(Refusal("client/alice"));
  const auto due = refusals.Due(At(0));
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].actor, "client/alice");
  EXPECT_EQ(due[0].peer, "10.0.0.1");
  EXPECT_EQ(due[0].detail, "AG01");
  EXPECT_EQ(due[0].at, At(0).wall);
  EXPECT_EQ(due[0].count, 1u);
  EXPECT_THAT(refusals.Due(At(0)), IsEmpty());
}

TEST(Refusals, AFloodOfTheSame_IsOneRecordAMinute) {
  Refusals refusals;
  std::size_t records = 0;
  std::uint64_t told = 0;
  for (int second = 0; second < 600; ++second) {
    for (int i = 0; i < 1000; ++i) refusals.Count(Refusal("client/alice", "10.0.0.1:" + std::to_string(i)));
    for (const auto& record : refusals.Due(At(second))) {
      ++records;
      told += record.count;
    }
  }
  for (const auto& record : refusals.Rest(At(600))) told += record.count;
  EXPECT_LE(records, 10u);
  EXPECT_EQ(told, 600'000u);
}

TEST(Refusals, AfterAQuietMinute_TheNextIsToldAtOnceAgain) {
  Refusals refusals;
  refusals.Count(Refusal("client/alice"));
  EXPECT_EQ(refusals.Due(At(0)).size(), 1u);
  EXPECT_THAT(refusals.Due(At(61)), IsEmpty());
  refusals.Count(Refusal("client/alice"));
  EXPECT_EQ(refusals.Due(At(62)).size(), 1u);
}

TEST(Refusals, AFloodUnderManyNames_IsBounded_AndCounted) {
  Refusals refusals;
  for (int i = 0; i < 10'000; ++i) refusals.Count(Refusal("client/" + std::to_string(i)));
  const auto due = refusals.Due(At(0));
  EXPECT_LE(due.size(), Refusals::kMaxKinds + 1);
  std::uint64_t told = 0;
  for (const auto& record : due) told += record.count;
  EXPECT_EQ(told, 10'000u);
}

TEST(Refusals, Rest_LeavesNothingUntold) {
  Refusals refusals;
  refusals.Count(Refusal("client/alice"));
  EXPECT_EQ(refusals.Due(At(0)).size(), 1u);
  refusals.Count(Refusal("client/alice"));
  const auto rest = refusals.Rest(At(1));
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].count, 1u);
}

}  // namespace
}  // namespace strife::server
