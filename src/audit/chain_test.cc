#include "audit/chain.h"

#include <gtest/gtest.h>

#include <string>

#include "base/limits.h"

namespace strife::audit {
namespace {

using protocol::AuditEvent;
using protocol::AuditRecord;

std::string Hex(const Sha256& hash) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : hash) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

AuditStart Start() {
  AuditStart start;
  for (std::size_t i = 0; i < 16; ++i) start.log_id.bytes[i] = static_cast<std::uint8_t>(i + 1);
  start.decided_before = 7;
  return start;
}

AuditRecord Record() {
  AuditRecord record;
  record.event = AuditEvent::kLoginFailed;
  record.at = WallTime(Duration(1'700'000'000'000'001));
  record.actor = "client/client";
  record.peer = "127.0.0.1";
  record.subject = "alice";
  record.detail = "reason=password";
  record.count = 3;
  return record;
}

// Computed by a program of another language from the words of chain.h alone:
//   python3 -c 'import hashlib,struct; g=hashlib.sha256(b"strife audit log 1\n"+bytes(range(1,17))+struct.pack(">Q",7))
//   .digest(); t=lambda s: struct.pack(">H",len(s))+s; print(g.hex(), hashlib.sha256(g+struct.pack(">QqHI",1,
//   1700000000000001,21,3)+t(b"client/client")+t(b"127.0.0.1")+t(b"alice")+t(b"reason=password")).hexdigest())'
TEST(AuditChain, HashOf_DocumentedEncoding_GivesTheSameAsAnotherProgram) {
  Hasher hasher;
  const Sha256 genesis = hasher.Genesis(Start());
  EXPECT_EQ(Hex(genesis), "7d33d4c97011bd40a2352d022a609d8ad6408a26f13d2a5f7c4d07552afb38c7");
  EXPECT_EQ(Hex(hasher.HashOf(genesis, {.sequence = 1, .record = Record()})),
            "8f1bf0cd3ccb281060ec52391210e228e8d51edf73b270127bde0d98859969c0");
}

TEST(AuditChain, Append_GoesOnWhereTheLogEnded) {
  Chain whole(Start(), std::nullopt);
  const AuditEntry first = whole.Append(Record());
  const AuditEntry second = whole.Append(Record());
  EXPECT_EQ(first.sequence, 1u);
  EXPECT_EQ(second.sequence, 2u);
  EXPECT_NE(first.hash, second.hash);
  EXPECT_EQ(Chain(Start(), first).Append(Record()), second);
}

TEST(AuditChain, HashOf_AnyFieldChanged_IsAnother) {
  Hasher hasher;
  const Sha256 before = hasher.Genesis(Start());
  const AuditEntry original{.sequence = 1, .record = Record()};
  std::vector<AuditEntry> changed(8, original);
  changed[0].sequence = 2;
  changed[1].record.event = AuditEvent::kLogin;
  changed[2].record.at += Duration(1);
  changed[3].record.actor = "client/other";
  changed[4].record.peer = "";
  changed[5].record.subject = "bob";
  changed[6].record.detail += " ";
  changed[7].record.count = 4;
  for (const AuditEntry& entry : changed) EXPECT_NE(hasher.HashOf(before, entry), hasher.HashOf(before, original));
  Sha256 other_before = before;
  other_before[31] ^= 1;
  EXPECT_NE(hasher.HashOf(other_before, original), hasher.HashOf(before, original));
}

TEST(AuditChain, HashOf_TextMovedFromOneFieldToTheNext_IsAnother) {
  Hasher hasher;
  AuditEntry one{.sequence = 1, .record = Record()}, other = one;
  one.record.actor = "ab";
  one.record.peer = "c";
  other.record.actor = "a";
  other.record.peer = "bc";
  EXPECT_NE(hasher.HashOf({}, one), hasher.HashOf({}, other));
}

TEST(AuditChain, Genesis_OfAnotherLog_IsAnother) {
  AuditStart other_id = Start(), other_count = Start();
  other_id.log_id.bytes[0] = 99;
  other_count.decided_before = 8;
  Hasher hasher;
  EXPECT_NE(hasher.Genesis(other_id), hasher.Genesis(Start()));
  EXPECT_NE(hasher.Genesis(other_count), hasher.Genesis(Start()));
}

TEST(AuditChain, Append_TextThatIsTooLongOrForgesLines_IsCutAndMadePrintable) {
  AuditRecord record = Record();
  record.detail = "a\nb\x1b[2J";
  record.subject = std::string(10'000, 's');
  const AuditEntry entry = Chain(Start(), std::nullopt).Append(record);
  EXPECT_EQ(entry.record.detail, "a?b?[2J");
  EXPECT_EQ(entry.record.subject.size(), limits::kMaxAuditSubjectBytes);
}

}  // namespace
}  // namespace strife::audit
