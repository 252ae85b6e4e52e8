#include "protocol/participant.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/assert.h"
#include "base/limits.h"
#include "protocol/ledger.h"
#include "protocol/reason.h"

namespace strife::protocol {

// What one Step works on: the loaded rows, which of them changed, and the effects so far.
class Participant::Batch {
 public:
  Batch(const Now& now_in, BankRows rows) : now(now_in), rows_(std::move(rows)) {}

  BankTransactionRecord* FindTransaction(const Uuid& id) {
    const auto found = rows_.transactions.find(id);
    return found == rows_.transactions.end() ? nullptr : &found->second;
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

  // The two ledger lines of one transfer.
  void Enter(const BankTransactionRecord& record, std::uint8_t first_line, const AccountRecord& from,
             const AccountRecord& to) {
    const std::int64_t amount = record.amount.minor_units;
    const Currency currency = record.amount.currency;
    effects.records.entries.push_back({record.id, first_line, from.account_id, -amount, currency, now.wall});
    effects.records.entries.push_back(
        {record.id, static_cast<std::uint8_t>(first_line + 1), to.account_id, amount, currency, now.wall});
  }

  ParticipantEffects Finish() {
    for (const Uuid& id : transaction_order_) effects.records.transactions.push_back(rows_.transactions.at(id));
    for (const std::string& id : account_order_) effects.records.accounts.push_back(rows_.accounts.at(id));
    return std::move(effects);
  }

  const Now now;
  ParticipantEffects effects;

 private:
  BankRows rows_;
  std::unordered_set<Uuid> changed_transactions_;
  std::unordered_set<std::string> changed_accounts_;
  std::vector<Uuid> transaction_order_;
  std::vector<std::string> account_order_;
};

namespace {

BankReply Answer(const BankCommand& command, CommandOutcome outcome, std::string_view reason_code = {},
                 std::string_view message = {}) {
  return {command.kind, command.id, outcome, std::string(reason_code), std::string(message)};
}

// One transfer of a transaction, by account id.
struct Transfer {
  std::string from;
  std::string to;
};

// The legs a transaction has at this bank, in ledger order.
std::vector<Transfer> TransfersOf(const BankTransactionRecord& record) {
  const std::string clearing = InternalAccountId(AccountKind::kClearing, record.amount.currency);
  std::vector<Transfer> transfers;
  if (!record.debit_account.empty()) transfers.push_back({record.debit_account, clearing});
  if (!record.credit_account.empty()) transfers.push_back({clearing, record.credit_account});
  return transfers;
}

// Why a customer account cannot take part; empty when it can.
std::string_view AccountProblem(const AccountRecord* account, Currency currency, std::string_view unknown) {
  if (account == nullptr || account->kind != AccountKind::kCustomer) return unknown;
  if (account->status == AccountStatus::kClosed) return reason::kAccountClosed;
  if (account->status == AccountStatus::kBlocked) return reason::kAccountBlocked;
  if (account->currency != currency) return reason::kAccountCurrency;
  return {};
}

std::string_view ReasonFor(LedgerRefusal refusal) {
  return refusal == LedgerRefusal::kInsufficientFunds ? reason::kInsufficientFunds : reason::kAmountTooLarge;
}

bool ValidAmount(const Money& amount) {
  return amount.minor_units > 0 && amount.minor_units <= limits::kMaxAmountMinorUnits;
}

bool SameTransaction(const BankTransactionRecord& a, const BankTransactionRecord& b) {
  return a.kind == b.kind && a.debit_account == b.debit_account && a.credit_account == b.credit_account &&
         a.amount == b.amount;
}

}  // namespace

Participant::Participant(ParticipantOptions options) : options_(std::move(options)) {
  STRIFE_ASSERT(!options_.bank_id.empty());
}

void Participant::Recover(const Now& now, std::vector<BankTransactionRecord> prepared,
                          std::optional<GatewaySeen> gateway_seen) {
  STRIFE_ASSERT(prepared_.empty());
  gateway_seen_ = gateway_seen;
  for (BankTransactionRecord& record : prepared) {
    STRIFE_ASSERT(record.state == BankTransactionState::kPrepared);
    const Uuid id = record.id;
    prepared_.emplace(id, Prepared{std::move(record), now.monotonic});
    deadlines_.Add(now.monotonic, id);
  }
}

void Participant::CollectKeys(const Input& input, Keys& keys) const {
  const auto add_transaction = [&](const Uuid& id) {
    const auto found = prepared_.find(id);
    if (found == prepared_.end()) {
      keys.transactions.push_back(id);
      return;
    }
    for (const Transfer& transfer : TransfersOf(found->second.record)) {
      keys.accounts.push_back(transfer.from);
      keys.accounts.push_back(transfer.to);
    }
  };
  if (const auto* command = std::get_if<CommandInput>(&input)) {
    const BankCommand& c = command->command;
    add_transaction(c.id);
    if (c.kind != CommandKind::kPrepare) return;
    if (c.from.bank_id == options_.bank_id) keys.accounts.push_back(c.from.account_id);
    if (c.to.bank_id == options_.bank_id) keys.accounts.push_back(c.to.account_id);
    keys.accounts.push_back(InternalAccountId(AccountKind::kClearing, c.amount.currency));
  } else if (const auto* answer = std::get_if<InquiryAnswered>(&input)) {
    add_transaction(answer->id);
  } else if (const auto* direct = std::get_if<DirectInput>(&input)) {
    add_transaction(direct->id);
    keys.accounts.push_back(direct->account_id);
    keys.accounts.push_back(InternalAccountId(AccountKind::kCash, direct->amount.currency));
  } else if (const auto* open = std::get_if<OpenAccountInput>(&input)) {
    keys.accounts.push_back(open->account_id);
    keys.accounts.push_back(InternalAccountId(AccountKind::kOpening, open->opening.currency));
  }
}

Participant::Effects Participant::Step(const Now& now, std::vector<Input> inputs, Rows rows) {
  Batch batch(now, std::move(rows));
  for (Input& input : inputs) {
    std::visit([&](auto& typed) { Apply(batch, typed); }, input);
  }
  AskAboutLateDecisions(batch);
  return batch.Finish();
}

void Participant::Apply(Batch& batch, CommandInput& input) {
  const BankCommand& command = input.command;
  // A transaction held in memory is as good as a loaded row.
  if (const auto held = prepared_.find(command.id); held != prepared_.end() && !batch.FindTransaction(command.id)) {
    batch.PutTransaction(held->second.record);
  }
  NoteGateway(batch, command);
  BankReply reply;
  switch (command.kind) {
    case CommandKind::kPrepare:
      reply = Prepare(batch, command);
      break;
    case CommandKind::kCommit:
      reply = Commit(batch, command);
      break;
    case CommandKind::kAbort:
      reply = Abort(batch, command);
      break;
  }
  if (reply.outcome == CommandOutcome::kViolation) {
    batch.effects.events.push_back({ParticipantEvent::Kind::kProtocolViolation, command.id, reply.message});
  }
  if (input.reply_to.call != 0) batch.effects.answers.push_back({input.reply_to, std::move(reply)});
}

std::optional<BankReply> Participant::RefuseStale(Batch& batch, BankTransactionRecord& known,
                                                  const BankCommand& command) {
  if (known.kind != BankTransactionKind::kPayment) {
    return Answer(command, CommandOutcome::kViolation, reason::kDuplicate,
                  "this id belongs to a transaction of the bank itself");
  }
  if (command.epoch < known.epoch) {
    batch.effects.events.push_back(
        {ParticipantEvent::Kind::kStaleGateway, command.id, "a replaced gateway still sends commands"});
    return Answer(command, CommandOutcome::kStale, reason::kStaleEpoch, reason::Describe(reason::kStaleEpoch));
  }
  if (command.epoch > known.epoch) {
    known.epoch = command.epoch;
    batch.Changed(known);
    if (const auto held = prepared_.find(known.id); held != prepared_.end()) held->second.record.epoch = known.epoch;
  }
  return std::nullopt;
}

BankReply Participant::Prepare(Batch& batch, const BankCommand& command) {
  if (BankTransactionRecord* known = batch.FindTransaction(command.id)) {
    if (auto refusal = RefuseStale(batch, *known, command)) return *std::move(refusal);
    return PrepareAgain(*known, command);
  }
  const bool debit = command.from.bank_id == options_.bank_id;
  const bool credit = command.to.bank_id == options_.bank_id;
  // A leg here without an account would be left out, and the other one would move money out of nothing.
  const bool nameless = (debit && command.from.account_id.empty()) || (credit && command.to.account_id.empty());
  if (nameless || (!debit && !credit)) {
    return Answer(command, CommandOutcome::kViolation, reason::kProtocolViolation,
                  "prepare for a payment without an account at this bank");
  }
  BankTransactionRecord record;
  record.id = command.id;
  record.epoch = command.epoch;
  record.gateway_store_id = command.gateway_store_id;
  record.debit_account = debit ? command.from.account_id : "";
  record.credit_account = credit ? command.to.account_id : "";
  record.amount = command.amount;
  record.created_at = batch.now.wall;
  record.reason_code = Hold(batch, record);
  if (!record.reason_code.empty()) {
    record.state = BankTransactionState::kAborted;
    record.amount.minor_units = std::max<std::int64_t>(record.amount.minor_units, 0);  // stores keep none below zero
    BankReply no = Answer(command, CommandOutcome::kNo, record.reason_code, reason::Describe(record.reason_code));
    batch.Changed(batch.PutTransaction(std::move(record)));
    return no;
  }
  record.state = BankTransactionState::kPrepared;
  BankTransactionRecord& stored = batch.PutTransaction(std::move(record));
  batch.Changed(stored);
  const MonotonicTime first_inquiry = batch.now.monotonic + options_.inquiry_delay;
  prepared_.emplace(command.id, Prepared{stored, first_inquiry});
  deadlines_.Add(first_inquiry, command.id);
  return Answer(command, CommandOutcome::kYes);
}

BankReply Participant::PrepareAgain(const BankTransactionRecord& known, const BankCommand& command) const {
  if (known.state == BankTransactionState::kAborted) {
    // Refused before, or the tombstone of an abort that overtook this prepare (rule 8).
    const std::string_view why =
        known.reason_code.empty() ? reason::kTransactionAborted : std::string_view(known.reason_code);
    return Answer(command, CommandOutcome::kNo, why, reason::Describe(why));
  }
  BankTransactionRecord asked;
  asked.debit_account = command.from.bank_id == options_.bank_id ? command.from.account_id : "";
  asked.credit_account = command.to.bank_id == options_.bank_id ? command.to.account_id : "";
  asked.amount = command.amount;
  if (!SameTransaction(known, asked)) {
    return Answer(command, CommandOutcome::kViolation, reason::kTransactionIdReused,
                  "prepare with the id of another payment");
  }
  return Answer(command, CommandOutcome::kYes);
}

std::string Participant::Hold(Batch& batch, const BankTransactionRecord& record) {
  if (!ValidAmount(record.amount)) return std::string(reason::kInvalidAmount);
  if (record.debit_account == record.credit_account) return std::string(reason::kForbidden);
  const Currency currency = record.amount.currency;
  if (!record.debit_account.empty()) {
    const auto problem =
        AccountProblem(batch.FindAccount(record.debit_account), currency, reason::kDebtorAccountUnknown);
    if (!problem.empty()) return std::string(problem);
  }
  if (!record.credit_account.empty()) {
    const auto problem =
        AccountProblem(batch.FindAccount(record.credit_account), currency, reason::kCreditorAccountUnknown);
    if (!problem.empty()) return std::string(problem);
  }
  batch.OwnAccount(AccountKind::kClearing, currency);
  const std::vector<Transfer> transfers = TransfersOf(record);
  for (std::size_t i = 0; i < transfers.size(); ++i) {
    AccountRecord& from = *batch.FindAccount(transfers[i].from);
    AccountRecord& to = *batch.FindAccount(transfers[i].to);
    if (const auto refusal = Reserve(from, to, record.amount.minor_units)) {
      if (i == 1) {  // a payment within the bank holds both legs or none
        Release(*batch.FindAccount(transfers[0].from), from, record.amount.minor_units);
      }
      return std::string(ReasonFor(*refusal));
    }
    batch.Changed(from);
    batch.Changed(to);
  }
  return {};
}

BankReply Participant::Commit(Batch& batch, const BankCommand& command) {
  BankTransactionRecord* known = batch.FindTransaction(command.id);
  if (known == nullptr) {
    return Answer(command, CommandOutcome::kViolation, reason::kProtocolViolation,
                  "commit for a transaction that was never prepared here");
  }
  if (auto refusal = RefuseStale(batch, *known, command)) return *std::move(refusal);
  if (known->state == BankTransactionState::kCommitted) return Answer(command, CommandOutcome::kDone);
  if (known->state == BankTransactionState::kAborted) {
    return Answer(command, CommandOutcome::kViolation, reason::kProtocolViolation,
                  "commit for a transaction that was aborted here");
  }
  std::uint8_t line = 0;
  for (const Transfer& transfer : TransfersOf(*known)) {
    AccountRecord* from = batch.FindAccount(transfer.from);
    AccountRecord* to = batch.FindAccount(transfer.to);
    STRIFE_ASSERT(from != nullptr && to != nullptr);
    Post(*from, *to, known->amount.minor_units);
    batch.Enter(*known, line, *from, *to);
    batch.Changed(*from);
    batch.Changed(*to);
    line = static_cast<std::uint8_t>(line + 2);
  }
  known->state = BankTransactionState::kCommitted;
  batch.Changed(*known);
  prepared_.erase(command.id);
  return Answer(command, CommandOutcome::kDone);
}

BankReply Participant::Abort(Batch& batch, const BankCommand& command) {
  BankTransactionRecord* known = batch.FindTransaction(command.id);
  if (known == nullptr) {
    BankTransactionRecord tombstone;
    tombstone.id = command.id;
    tombstone.state = BankTransactionState::kAborted;
    tombstone.epoch = command.epoch;
    tombstone.gateway_store_id = command.gateway_store_id;
    tombstone.created_at = batch.now.wall;
    batch.Changed(batch.PutTransaction(std::move(tombstone)));
    return Answer(command, CommandOutcome::kDone);
  }
  if (auto refusal = RefuseStale(batch, *known, command)) return *std::move(refusal);
  if (known->state == BankTransactionState::kAborted) return Answer(command, CommandOutcome::kDone);
  if (known->state == BankTransactionState::kCommitted) {
    return Answer(command, CommandOutcome::kViolation, reason::kProtocolViolation,
                  "abort for a transaction that was committed here");
  }
  for (const Transfer& transfer : TransfersOf(*known)) {
    AccountRecord* from = batch.FindAccount(transfer.from);
    AccountRecord* to = batch.FindAccount(transfer.to);
    STRIFE_ASSERT(from != nullptr && to != nullptr);
    Release(*from, *to, known->amount.minor_units);
    batch.Changed(*from);
    batch.Changed(*to);
  }
  known->state = BankTransactionState::kAborted;
  batch.Changed(*known);
  prepared_.erase(command.id);
  return Answer(command, CommandOutcome::kDone);
}

void Participant::NoteGateway(Batch& batch, const BankCommand& command) {
  if (command.gateway_store_id.IsNil()) return;
  const bool same_store = gateway_seen_ && gateway_seen_->store_id == command.gateway_store_id;
  if (same_store && gateway_seen_->sequence >= command.gateway_sequence) return;
  gateway_seen_ = GatewaySeen{command.gateway_store_id, command.gateway_sequence};
  batch.effects.records.gateway_seen = gateway_seen_;
}

// Rule 6: only the gateway's word ends a transaction this bank has voted YES on.
void Participant::Apply(Batch& batch, InquiryAnswered& input) {
  const auto held = prepared_.find(input.id);
  if (held == prepared_.end()) return;  // a command was faster
  held->second.inquiry_open = false;
  if (input.decision == Decision::kCommit || input.decision == Decision::kAbort) {
    CommandInput command;
    command.command.kind = input.decision == Decision::kCommit ? CommandKind::kCommit : CommandKind::kAbort;
    command.command.id = input.id;
    command.command.epoch = input.epoch;
    Apply(batch, command);
    if (!prepared_.contains(input.id)) return;
  }
  held->second.next_inquiry = batch.now.monotonic + options_.inquiry_backoff.Delay(input.id, held->second.inquiries);
  deadlines_.Add(held->second.next_inquiry, input.id);
}

void Participant::AskAboutLateDecisions(Batch& batch) {
  while (const auto id = deadlines_.PopDue(batch.now.monotonic)) {
    const auto held = prepared_.find(*id);
    if (held == prepared_.end() || held->second.inquiry_open) continue;
    if (held->second.next_inquiry > batch.now.monotonic) continue;  // an older deadline of the same transaction
    held->second.inquiry_open = true;
    ++held->second.inquiries;
    const Uuid& store = held->second.record.gateway_store_id;
    const bool same_store = gateway_seen_ && gateway_seen_->store_id == store;
    batch.effects.inquiries.push_back({*id, store, same_store ? gateway_seen_->sequence : 0});
  }
}

void Participant::Apply(Batch& batch, DirectInput& input) {
  const auto answer = [&](std::string_view code, std::int64_t posted = 0) {
    batch.effects.direct_answers.push_back(
        {input.reply_to, input.id, std::string(code), Money{posted, input.amount.currency}});
  };
  BankTransactionRecord record;
  record.id = input.id;
  record.kind = BankTransactionKind::kDirect;
  (input.deposit ? record.credit_account : record.debit_account) = input.account_id;
  record.amount = input.amount;
  record.created_at = batch.now.wall;
  AccountRecord* customer = batch.FindAccount(input.account_id);
  if (const BankTransactionRecord* known = batch.FindTransaction(input.id);
      known != nullptr || prepared_.contains(input.id)) {
    if (known == nullptr || !SameTransaction(*known, record)) return answer(reason::kDuplicate);
    STRIFE_ASSERT(customer != nullptr);
    return answer({}, customer->posted);
  }
  const auto unknown = input.deposit ? reason::kCreditorAccountUnknown : reason::kDebtorAccountUnknown;
  const auto problem = AccountProblem(customer, input.amount.currency, unknown);
  if (!problem.empty()) return answer(problem);
  if (!ValidAmount(input.amount)) return answer(reason::kInvalidAmount);
  AccountRecord& cash = batch.OwnAccount(AccountKind::kCash, input.amount.currency);
  AccountRecord& from = input.deposit ? cash : *customer;
  AccountRecord& to = input.deposit ? *customer : cash;
  if (const auto refusal = Reserve(from, to, input.amount.minor_units)) return answer(ReasonFor(*refusal));
  Post(from, to, input.amount.minor_units);
  record.state = BankTransactionState::kCommitted;
  batch.Enter(record, 0, from, to);
  batch.Changed(from);
  batch.Changed(to);
  batch.Changed(batch.PutTransaction(std::move(record)));
  answer({}, customer->posted);
}

void Participant::Apply(Batch& batch, OpenAccountInput& input) {
  if (batch.FindAccount(input.account_id) != nullptr) return;
  STRIFE_ASSERT(input.opening.minor_units >= 0 && input.opening.minor_units <= limits::kMaxAmountMinorUnits);
  const Currency currency = input.opening.currency;
  AccountRecord& opening = batch.OwnAccount(AccountKind::kOpening, currency);
  AccountRecord& account = batch.PutAccount(EmptyAccount(input.account_id, AccountKind::kCustomer, currency));
  batch.Changed(account);
  if (input.opening.minor_units == 0) return;
  BankTransactionRecord record;
  record.id = input.id;
  record.kind = BankTransactionKind::kOpening;
  record.state = BankTransactionState::kCommitted;
  record.credit_account = input.account_id;
  record.amount = input.opening;
  record.created_at = batch.now.wall;
  const auto refusal = Reserve(opening, account, input.opening.minor_units);
  STRIFE_ASSERT(!refusal);  // bounded amounts on a new account
  Post(opening, account, input.opening.minor_units);
  batch.Enter(record, 0, opening, account);
  batch.Changed(opening);
  batch.Changed(batch.PutTransaction(std::move(record)));
}

}  // namespace strife::protocol
