#include "audit/head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "audit/chain.h"

namespace strife::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kPem[] = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

AuditStart Start() {
  AuditStart start;
  start.log_id.bytes.fill(7);
  return start;
}

std::vector<AuditEntry> Written(int count, const std::string& actor = "user/alice") {
  Chain chain(Start(), std::nullopt);
  std::vector<AuditEntry> log;
  protocol::AuditRecord record;
  record.actor = actor;
  for (int i = 0; i < count; ++i) log.push_back(chain.Append(record));
  return log;
}

Head HeadAt(const std::vector<AuditEntry>& log, std::size_t sequence) {
  return {.server = "spiffe://example.org/gateway/gateway",
          .log_id = Start().log_id,
          .sequence = sequence,
          .hash = log[sequence - 1].hash,
          .at = WallTime(Duration(1'700'000'000'000'001))};
}

std::vector<Finding> Check(const std::vector<AuditEntry>& log, std::vector<Head> heads) {
  Findings findings;
  HeadCheck check(Start(), std::move(heads), findings);
  for (const AuditEntry& entry : log) check.Take(entry);
  check.Conclude(log.empty() ? 0 : log.back().sequence);
  return std::move(findings).Sorted();
}

TEST(AuditHead, Format_Parsed_IsTheSame_AlsoSeveralInAFile) {
  const auto log = Written(3);
  const SignedHead one{HeadAt(log, 1), "signature", kPem};
  const SignedHead two{HeadAt(log, 3), std::string("\0\xff", 2), std::string(kPem) + kPem};
  const auto parsed = ParseHeads(Format(one) + Format(two));
  ASSERT_TRUE(parsed.has_value());
  EXPECT_THAT(*parsed, ElementsAre(one, two));
}

TEST(AuditHead, ParseHeads_AnythingElse_IsRefused) {
  const std::string good = Format({HeadAt(Written(3), 3), "signature", kPem});
  for (std::size_t i = 0; i < good.find("-----BEGIN"); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == '\n' ? ' ' : '\n';
    EXPECT_FALSE(ParseHeads(bad).has_value()) << bad;
  }
  EXPECT_FALSE(ParseHeads("").has_value());
  EXPECT_FALSE(ParseHeads(good + "more").has_value());
  EXPECT_FALSE(ParseHeads(good.substr(0, good.size() - 1)).has_value());
}

TEST(AuditHead, LogThatHasGrownSince_IsRight) {
  const auto log = Written(9);
  EXPECT_THAT(Check(log, {HeadAt(log, 9), HeadAt(log, 3), HeadAt(log, 3)}), IsEmpty());
}

TEST(AuditHead, EndCutOff_IsNoticed) {
  const auto log = Written(9);
  const auto findings = Check({log.begin(), log.begin() + 5}, {HeadAt(log, 4), HeadAt(log, 7), HeadAt(log, 9)});
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].sequence, 6u);
  EXPECT_THAT(findings[0].what, HasSubstr("the log ends with record 5, and a head says it had 9"));
  EXPECT_EQ(Check({}, {HeadAt(log, 4)}).size(), 1u);
}

TEST(AuditHead, WholeChainComputedAnew_IsNoticed) {
  const auto findings = Check(Written(9, "user/mallory"), {HeadAt(Written(9), 4)});
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].sequence, 4u);
  EXPECT_THAT(findings[0].what, HasSubstr("the hashes computed anew"));
}

TEST(AuditHead, RecordOfTheHeadDeleted_IsNamed) {
  auto log = Written(9);
  const Head head = HeadAt(log, 4);
  log.erase(log.begin() + 3);
  EXPECT_THAT(Check(log, {head}), ElementsAre(Finding{4, "record 4, of which there is a head, is missing"}));
}

TEST(AuditHead, LogExchangedForAnother_IsNoticed) {
  Head head = HeadAt(Written(3), 3);
  head.log_id.bytes[0] = 1;
  const auto findings = Check(Written(3), {head});
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_THAT(findings[0].what, HasSubstr("it has been exchanged"));
}

}  // namespace
}  // namespace strife::audit
