// What one step of the participant works on: the loaded rows, which of them changed, and the effects so far.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "protocol/defect.h"
#include "protocol/ledger.h"
#include "protocol/participant_messages.h"

namespace strife::protocol {

// Rows are kept up to date with what the step itself records, so that a second input about the same transaction or
// account sees the first one's outcome. Pointers and references stay valid until it is destroyed.
class BankWorkingSet {
 public:
  BankWorkingSet(const Now& now_in, BankRows rows) : now(now_in), rows_(std::move(rows)) {}

  BankTransactionRecord* FindTransaction(const Uuid& id) {
    const auto found = rows_.transactions.find(id);
    if (found == rows_.transactions.end()) return nullptr;
    const bool committed = found->second.state == BankTransactionState::kCommitted;
    return committed && Mutated(Defect::kForgetsCommitted) ? nullptr : &found->second;
  }

  // Puts in a row that is new, or that the participant keeps in memory.
  BankTransactionRecord& PutTransaction(BankTransactionRecord record) {
    const Uuid id = record.id;
    return rows_.transactions.insert_or_assign(id, std::move(record)).first->second;
  }

  void Changed(BankTransactionRecord& record) {
    record.updated_at = now.wall;
    if (changed_transactions_.insert(record.id).second) transaction_order_.push_back(record.id);
  }

  AccountRecord* FindAccount(const std::string& account_id) {
    const auto found = rows_.accounts.find(account_id);
    return found == rows_.accounts.end() ? nullptr : &found->second;
  }

  AccountRecord& OwnAccount(AccountKind kind, Currency currency) {
    const std::string id = InternalAccountId(kind, currency);
    if (AccountRecord* account = FindAccount(id)) return *account;
    return rows_.accounts.emplace(id, EmptyAccount(id, kind, currency)).first->second;
  }

  AccountRecord& PutAccount(AccountRecord account) {
    const std::string id = account.account_id;
    return rows_.accounts.insert_or_assign(id, std::move(account)).first->second;
  }

  void Changed(const AccountRecord& account) {
    if (changed_accounts_.insert(account.account_id).second) account_order_.push_back(account.account_id);
  }

  // As it was loaded, or set by the step itself; empty when there is none, or none that makes sense.
  Trace StoredTrace(const BankTransactionRecord& record) const {
    const auto set = traces_.find(record.id);
    const auto loaded = rows_.traces.find(record.id);
    const std::string_view bytes = set != traces_.end()           ? std::string_view(set->second)
                                   : loaded != rows_.traces.end() ? std::string_view(loaded->second)
                                                                  : std::string_view();
    return Trace::Decode(bytes, record.created_at).value_or(Trace());
  }
  // What is written with the transaction, if it has changed.
  void SetTrace(const BankTransactionRecord& record, const Trace& trace) {
    traces_.insert_or_assign(record.id, trace.Encode(record.created_at, kBankTraceBytes));
  }

  // The two ledger lines of one transfer.
  void Enter(const BankTransactionRecord& record, std::uint8_t first_line, const AccountRecord& from,
             const AccountRecord& to) {
    const std::int64_t amount = record.amount.minor_units;
    const Currency currency = record.amount.currency;
    effects.records.entries.push_back({record.id, first_line, from.account_id, -amount, currency, now.wall});
    if (Mutated(Defect::kOneSidedEntry)) return;
    effects.records.entries.push_back(
        {record.id, static_cast<std::uint8_t>(first_line + 1), to.account_id, amount, currency, now.wall});
  }

  // At the end of the step: the rows that have changed are the effects' now.
  ParticipantEffects Finish() {
    effects.records.transactions.reserve(transaction_order_.size());
    effects.records.traces.reserve(traces_.size());
    effects.records.accounts.reserve(account_order_.size());
    for (const Uuid& id : transaction_order_) {
      effects.records.transactions.push_back(std::move(rows_.transactions.at(id)));
      const auto trace = traces_.find(id);
      if (trace != traces_.end()) effects.records.traces.push_back({id, std::move(trace->second)});
    }
    for (const std::string& id : account_order_) effects.records.accounts.push_back(std::move(rows_.accounts.at(id)));
    return std::move(effects);
  }

  const Now now;
  ParticipantEffects effects;

 private:
  BankRows rows_;
  std::unordered_set<Uuid> changed_transactions_;
  std::unordered_set<std::string> changed_accounts_;
  std::vector<Uuid> transaction_order_;
  std::unordered_map<Uuid, std::string> traces_;
  std::vector<std::string> account_order_;
};

}  // namespace strife::protocol
