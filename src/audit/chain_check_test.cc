#include "audit/chain_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <utility>

namespace strife::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Log = std::vector<AuditEntry>;

AuditStart Start() {
  AuditStart start;
  start.log_id.bytes.fill(7);
  return start;
}

protocol::AuditRecord RecordOf(const std::string& subject) {
  protocol::AuditRecord record;
  record.event = protocol::AuditEvent::kLogin;
  record.at = WallTime(Duration(1000));
  record.actor = "user/alice";
  record.subject = subject;
  return record;
}

Log Written(std::size_t count) {
  Chain chain(Start(), std::nullopt);
  Log log;
  for (std::size_t i = 0; i < count; ++i) log.push_back(chain.Append(RecordOf("session " + std::to_string(i))));
  return log;
}

std::vector<Finding> Check(const Log& log, std::size_t malformed_after = SIZE_MAX) {
  Findings findings;
  ChainCheck check(Start(), findings);
  for (std::size_t i = 0; i < log.size(); ++i) {
    check.Take(log[i]);
    if (i == malformed_after) check.TakeMalformed("the row is malformed");
  }
  check.Conclude();
  return std::move(findings).Sorted();
}

std::vector<std::uint64_t> At(const std::vector<Finding>& findings) {
  std::vector<std::uint64_t> at;
  for (const Finding& finding : findings) at.push_back(finding.sequence);
  return at;
}

TEST(ChainCheck, AsWritten_HasNoFindings) {
  EXPECT_THAT(Check(Written(10)), IsEmpty());
  EXPECT_THAT(Check({}), IsEmpty());
}

TEST(ChainCheck, AnyFieldEdited_NamesTheRecordAndNoOther) {
  const std::vector<std::function<void(AuditEntry&)>> edits = {
      [](AuditEntry& e) { e.record.event = protocol::AuditEvent::kLogout; },
      [](AuditEntry& e) { e.record.at += Duration(1); },
      [](AuditEntry& e) { e.record.actor = "user/mallory"; },
      [](AuditEntry& e) { e.record.peer = "elsewhere"; },
      [](AuditEntry& e) { e.record.subject.clear(); },
      [](AuditEntry& e) { e.record.detail = "other"; },
      [](AuditEntry& e) { e.record.count = 2; },
      [](AuditEntry& e) { e.hash[0] ^= 1; }};
  for (std::size_t i = 0; i < edits.size(); ++i) {
    Log log = Written(10);
    edits[i](log[4]);
    const auto findings = Check(log);
    ASSERT_THAT(At(findings), ElementsAre(5u)) << i;
    EXPECT_THAT(findings[0].what, ::testing::HasSubstr("has been edited"));
  }
}

TEST(ChainCheck, EditedWithItsHash_ShowsAtTheNextRecord) {
  Log log = Written(10);
  log[4].record.actor = "user/mallory";
  log[4].hash = Hasher().HashOf(log[3].hash, log[4]);
  const auto findings = Check(log);
  ASSERT_THAT(At(findings), ElementsAre(6u));
  EXPECT_THAT(findings[0].what, ::testing::HasSubstr("or record 5 has"));
}

TEST(ChainCheck, Deleted_NamesWhichAreMissing) {
  Log log = Written(10);
  log.erase(log.begin() + 3);
  log.erase(log.begin() + 5, log.begin() + 7);
  log.erase(log.begin());
  EXPECT_THAT(Check(log), ElementsAre(Finding{1, "record 1 is missing: it has been deleted"},
                                      Finding{4, "record 4 is missing: it has been deleted"},
                                      Finding{7, "records 7 to 8 are missing: they have been deleted"}));
}

TEST(ChainCheck, Reordered_NamesBothAndWhereTheyWereWritten) {
  for (const std::size_t other : {4, 5, 8}) {
    Log log = Written(10);
    std::swap(log[3], log[other]);
    std::swap(log[3].sequence, log[other].sequence);
    EXPECT_THAT(Check(log),
                ElementsAre(Finding{4, "record 4 was written as record " + std::to_string(other + 1) +
                                           ": the log has been reordered"},
                            Finding{other + 1, "record " + std::to_string(other + 1) +
                                                   " was written as record 4: the log has been reordered"}));
  }
}

TEST(ChainCheck, DeletedAndRenumbered_IsNoticedFromThereOn) {
  Log log = Written(60);
  log.erase(log.begin() + 3);
  for (std::size_t i = 3; i < log.size(); ++i) log[i].sequence = i + 1;
  const auto findings = Check(log);
  EXPECT_EQ(findings.size(), 56u);
  EXPECT_EQ(findings[0].sequence, 4u);
  EXPECT_EQ(findings[1].what, "record 5 was written as record 6: the log has been reordered");
}

TEST(ChainCheck, RowThatCannotBeRead_IsNamedOnce) {
  Log log = Written(10);
  log.erase(log.begin() + 5);
  EXPECT_THAT(Check(log, 4), ElementsAre(Finding{6, "the row is malformed"}));
}

TEST(ChainCheck, OfAnotherLog_NamesTheFirstRecord) {
  AuditStart other = Start();
  other.log_id.bytes[0] = 1;
  Log log;
  Chain chain(other, std::nullopt);
  for (int i = 0; i < 3; ++i) log.push_back(chain.Append(RecordOf("x")));
  EXPECT_THAT(At(Check(log)), ElementsAre(1u));
}

}  // namespace
}  // namespace strife::audit
