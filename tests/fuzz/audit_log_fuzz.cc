// Audit logs as somebody hostile may have left them, and files of heads.
#include <algorithm>
#include <utility>

#include "audit/chain_check.h"
#include "audit/decision_check.h"
#include "audit/head.h"
#include "fuzz.h"

namespace strife::audit {
namespace {

using Log = std::vector<AuditEntry>;

constexpr std::size_t kMaxRecords = 40;
const AuditStart kStart{Uuid{{1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10, 11, 12, 13, 14, 15, 16}}, 0};

// What is accepted is what Format writes, to the byte.
void ReadHeads(std::string_view text) {
  const auto heads = ParseHeads(text);
  if (!heads) return fuzz::CheckMessage(heads.error().message);
  std::string again;
  for (const SignedHead& head : *heads) {
    STRIFE_ASSERT(IsPrintableUtf8(head.head.server));
    again += Format(head);
  }
  STRIFE_ASSERT(again == text);
}

protocol::AuditRecord RecordFrom(fuzz::Input& in) {
  protocol::AuditRecord record;
  record.event = static_cast<protocol::AuditEvent>(in.Byte() + 1);
  record.at = WallTime(Duration(in.Byte()));
  record.actor = in.Text();
  record.subject = in.Text();
  record.count = in.Byte() + 1u;
  return record;
}

Log Written(fuzz::Input& in) {
  Log log;
  Chain chain(kStart, std::nullopt);
  for (std::size_t count = in.Index(kMaxRecords); count > 0; --count) log.push_back(chain.Append(RecordFrom(in)));
  return log;
}

// Whether anything was done that `log` does not undo by chance.
bool Tamper(Log& log, fuzz::Input& in) {
  if (log.empty()) return false;
  const Log before = log;
  for (std::size_t changes = 1 + in.Index(4); changes > 0 && !log.empty(); --changes) {
    const std::size_t at = in.Index(log.size()), other = in.Index(log.size());
    switch (in.Index(5)) {
      case 0:
        log[at].record = RecordFrom(in);
        break;
      case 1:
        log[at].hash[in.Index(32)] ^= in.Byte();
        break;
      case 2:
        log.erase(log.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      case 3:
        std::swap(log[at], log[other]);
        std::swap(log[at].sequence, log[other].sequence);
        break;
      case 4:
        for (std::size_t i = at; i < log.size(); ++i) ++log[i].sequence;
        break;
    }
  }
  return log != before;
}

std::vector<Finding> Check(const Log& log, const std::vector<Head>& heads) {
  Findings findings;
  ChainCheck chain(kStart, findings);
  HeadCheck head_check(kStart, heads, findings);
  DecisionCheck decisions(kStart, kMaxRecords, findings);
  decisions.BeginStretch({}, true);
  for (const AuditEntry& entry : log) {
    chain.Take(entry);
    head_check.Take(entry);
  }
  chain.Conclude();
  head_check.Conclude(chain.last_sequence());
  const std::uint64_t count = findings.count();
  for (const AuditEntry& entry : log) decisions.Take(entry);
  decisions.EndStretch();
  decisions.Conclude();
  auto sorted = std::move(findings).Sorted();
  for (const Finding& finding : sorted) fuzz::CheckMessage(finding.what);
  if (count == 0) sorted.clear();
  return sorted;
}

FUZZ_TARGET(audit_log) {
  fuzz::Input in(input);
  if (in.Index(2) == 0) return ReadHeads(in.Rest());
  Log log = Written(in);
  std::vector<Head> heads;
  if (!log.empty()) heads.push_back({"server", kStart.log_id, log.back().sequence, log.back().hash, WallTime{}});
  STRIFE_ASSERT(Check(log, heads).empty());
  // The hash covers all there is, and the head the end: whatever was changed is found.
  if (Tamper(log, in)) STRIFE_ASSERT(!Check(log, heads).empty());
}

}  // namespace
}  // namespace strife::audit
