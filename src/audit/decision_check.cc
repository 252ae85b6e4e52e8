#include "audit/decision_check.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "audit/audit_of.h"

namespace strife::audit {
namespace {

using protocol::AuditEvent;
using protocol::AuditRecord;

constexpr Uuid kLastId = [] {
  Uuid id;
  id.bytes.fill(0xff);
  return id;
}();

// Reasons may change after the decision; who pays whom how much may not.
std::uint64_t StoryOf(const AuditRecord& record) {
  const std::string_view detail = record.detail;
  const std::string_view told = detail.substr(0, std::min(detail.rfind(" reason="), detail.size()));
  return std::hash<std::string>()(record.actor + '\n' + std::string(told));
}

std::optional<Outcome> OutcomeOf(AuditEvent event) {
  switch (event) {
    case AuditEvent::kPaymentCommitted:
    case AuditEvent::kPaymentLate:
    case AuditEvent::kTransactionCommitted:
      return Outcome::kCommitted;
    case AuditEvent::kPaymentAborted:
    case AuditEvent::kTransactionAborted:
      return Outcome::kAborted;
    default:
      return std::nullopt;
  }
}

std::string_view Name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kUndecided:
      return "undecided";
    case Outcome::kCommitted:
      return "committed";
    case Outcome::kAborted:
      return "aborted";
  }
  return "unknown";
}

}  // namespace

Decided DecidedOf(const protocol::PaymentRecord& payment) {
  protocol::PaymentRecord decided = payment;
  Decided out{payment.order.id, payment.updated_at, 0, Outcome::kCommitted, false};
  if (payment.state == protocol::PaymentState::kInitiated) out.outcome = Outcome::kUndecided;
  if (payment.state == protocol::PaymentState::kAborted) out.outcome = Outcome::kAborted;
  // Undecided and completed ones have no record of their own.
  if (out.outcome != Outcome::kAborted) decided.state = protocol::PaymentState::kCommitting;
  decided.reason_code.clear();
  out.story = StoryOf(*AuditOf(decided));
  return out;
}

Decided DecidedOf(const protocol::BankTransactionRecord& transaction) {
  protocol::BankTransactionRecord decided = transaction;
  Decided out{transaction.id, transaction.updated_at, 0, Outcome::kCommitted, false};
  if (transaction.state == protocol::BankTransactionState::kPrepared) out.outcome = Outcome::kUndecided;
  if (transaction.state == protocol::BankTransactionState::kAborted) out.outcome = Outcome::kAborted;
  if (out.outcome == Outcome::kUndecided) decided.state = protocol::BankTransactionState::kCommitted;
  decided.reason_code.clear();
  out.story = StoryOf(*AuditOf(decided));
  return out;
}

void DecisionCheck::BeginStretch(std::vector<Decided> stretch, bool last) {
  stretch_ = std::move(stretch);
  after_ = up_to_;
  up_to_ = last || stretch_.empty() ? kLastId : stretch_.back().id;
}

void DecisionCheck::Take(const AuditEntry& entry) {
  const auto outcome = OutcomeOf(entry.record.event);
  if (!outcome) return;
  const auto id = Uuid::Parse(entry.record.subject);
  const auto complain = [&](const std::string& what) {
    findings_.Add(entry.sequence, "record " + std::to_string(entry.sequence) + " " + what);
  };
  if (!id) {
    if (after_.IsNil()) complain("is about money and names no transaction");
    return;
  }
  if (*id <= after_ || *id > up_to_) return;
  const auto found = std::ranges::lower_bound(stretch_, *id, {}, &Decided::id);
  const bool settled = entry.sequence <= settled_;
  if (found == stretch_.end() || found->id != *id) {
    if (settled) complain("tells of " + id->ToString() + ", which is not in the store: it has been deleted there");
    return;
  }
  if (found->outcome != *outcome) {
    if (found->outcome == Outcome::kUndecided && !settled) return;  // decided since the store was read
    return complain("says that " + id->ToString() + " was " + std::string(Name(*outcome)) +
                    ", and in the store it is " + std::string(Name(found->outcome)));
  }
  if (StoryOf(entry.record) != found->story) {
    return complain("tells of other accounts or another amount than the store has for " + id->ToString());
  }
  if (entry.record.event != AuditEvent::kPaymentLate) found->seen = true;
}

void DecisionCheck::EndStretch() {
  constexpr auto kNewestFirst = [](const Decided& a, const Decided& b) { return a.updated_at > b.updated_at; };
  for (const Decided& one : stretch_) {
    if (one.outcome == Outcome::kUndecided) continue;
    ++decided_;
    if (one.seen) continue;
    ++unrecorded_;
    newest_unrecorded_.push_back(one);
    if (newest_unrecorded_.size() < 2 * Findings::kMaxListed) continue;
    std::ranges::partial_sort(newest_unrecorded_, newest_unrecorded_.begin() + Findings::kMaxListed, kNewestFirst);
    newest_unrecorded_.resize(Findings::kMaxListed);
  }
  std::ranges::stable_sort(newest_unrecorded_, kNewestFirst);
}

void DecisionCheck::Conclude() {
  // Those decided before there was a log are the oldest, and rightly have none.
  const std::uint64_t excess = unrecorded_ > decided_before_ ? unrecorded_ - decided_before_ : 0;
  for (std::uint64_t i = 0; i < excess; ++i) {
    const std::string id = i < newest_unrecorded_.size() ? newest_unrecorded_[i].id.ToString() + " " : "another one ";
    findings_.Add(0, id + "is decided and has no record: it has been deleted or cut off");
  }
}

}  // namespace strife::audit
