// What the tests of the protocol share: short names for values, and a gateway and a bank whose disk is a map.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "protocol/coordinator.h"
#include "protocol/ledger.h"
#include "protocol/participant.h"

namespace strife::protocol::testing {

using std::chrono::milliseconds;
using std::chrono::seconds;

inline Uuid Id(std::uint8_t n) {
  Uuid id;
  id.bytes[15] = n;
  return id;
}

inline const Uuid kStoreId = Id(200);

inline Money Usd(std::int64_t minor_units) { return {minor_units, *Currency::Parse("USD")}; }

inline PaymentOrder Order(const Uuid& id, std::string from_bank = "a", std::string to_bank = "b") {
  return {id, "ann", {std::move(from_bank), "payer"}, {std::move(to_bank), "payee"}, Usd(100), "rent"};
}

inline BankRecord BankNamed(std::string bank_id) {
  BankRecord bank;
  bank.bank_id = std::move(bank_id);
  bank.endpoint = "localhost:1";
  return bank;
}

// A coordinator with its disk. Every step's records are durable before Step returns, as the engine sees to.
class TestGateway {
 public:
  using Effects = CoordinatorEffects;

  explicit TestGateway(CoordinatorOptions options = {}) : options_(options), coordinator_(options) {
    for (const char* bank : {"a", "b", "c"}) banks[bank] = BankNamed(bank);
    Restart();
  }

  // The process ends and another one takes the disk over.
  Effects Restart() {
    coordinator_ = Coordinator(options_);
    CoordinatorPast past;
    past.store_id = kStoreId;
    past.epoch = ++epoch;
    past.sequence = sequence;
    for (const auto& [id, payment] : payments) {
      if (!IsFinal(payment.state)) past.open_payments.push_back(payment);
    }
    past.traces.insert(traces.begin(), traces.end());
    for (const auto& [id, bank] : banks) past.banks.push_back(bank);
    return Commit(coordinator_.Recover(now, std::move(past)));
  }

  Effects Step(std::vector<CoordinatorInput> inputs = {}) {
    std::vector<Uuid> ids;
    for (const CoordinatorInput& input : inputs) coordinator_.CollectKeys(input, ids);
    Coordinator::Rows rows;
    for (const Uuid& id : ids) {
      if (const auto row = payments.find(id); row != payments.end()) rows.insert(*row);
    }
    return Commit(coordinator_.Step(now, std::move(inputs), std::move(rows), {traces.begin(), traces.end()}));
  }

  Effects Submit(const PaymentOrder& order) { return Step({SubmitInput{{++last_call, 0}, order}}); }
  Effects Reply(const std::string& bank, CommandKind kind, const Uuid& id, CommandOutcome outcome) {
    return Step({BankRepliesInput{bank, {{kind, id, outcome, "", ""}}}});
  }
  Effects Lose(const std::string& bank, CommandKind kind, const Uuid& id) {
    return Step({UndeliveredInput{bank, {{id, kind}}}});
  }
  Effects Inquire(const std::string& bank, const Uuid& id, std::optional<Uuid> store = kStoreId,
                  std::uint64_t seen = 0) {
    return Step({InquiryInput{{++last_call, 0}, bank, id, store, seen}});
  }
  Effects Register(const std::string& bank, std::optional<Uuid> store = {}, std::uint64_t seen = 0) {
    return Step({RegisterInput{{++last_call, 0}, BankNamed(bank), store, seen}});
  }
  // Submits and lets both banks vote YES; the effects are those of the decision.
  Effects Decide(const PaymentOrder& order) {
    Submit(order);
    Effects effects = Reply(order.from.bank_id, CommandKind::kPrepare, order.id, CommandOutcome::kYes);
    if (order.to.bank_id == order.from.bank_id) return effects;
    return Reply(order.to.bank_id, CommandKind::kPrepare, order.id, CommandOutcome::kYes);
  }

  void Pass(Duration time) {
    now.monotonic += time;
    now.wall += time;
  }

  void Sent(WallTime at) { coordinator_.Sent(at); }
  std::size_t room() { return coordinator_.RoomAt(now.monotonic).count; }

  const Coordinator& coordinator() const { return coordinator_; }
  PaymentState state(const Uuid& id) const { return payments.at(id).state; }

  Now now{MonotonicTime(seconds(1000)), WallTime(seconds(1'000'000))};
  std::map<Uuid, PaymentRecord> payments;
  std::map<Uuid, std::string> traces;
  std::map<std::string, BankRecord> banks;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  std::uint64_t last_call = 0;

 private:
  Effects Commit(Effects effects) {
    for (const PaymentRecord& payment : effects.payments) payments[payment.order.id] = payment;
    for (const BankRecord& bank : effects.banks) banks[bank.bank_id] = bank;
    for (const TraceRecord& trace : effects.traces) traces[trace.id] = trace.bytes;
    sequence = coordinator_.sequence();
    return effects;
  }

  CoordinatorOptions options_;
  Coordinator coordinator_;
};

// A participant, bank "a" unless told otherwise, with its disk.
class TestBank {
 public:
  using Effects = ParticipantEffects;

  explicit TestBank(std::string bank_id = "a") : options_{.bank_id = std::move(bank_id)}, participant_(options_) {
    participant_.Recover(now, {}, std::nullopt);
  }

  void Restart() {
    participant_ = Participant(options_);
    std::vector<BankTransactionRecord> prepared;
    for (const auto& [id, transaction] : transaction_rows) {
      const auto forced = heuristics.find(id);
      if (transaction.state == BankTransactionState::kPrepared ||
          (forced != heuristics.end() && forced->second.state == HeuristicState::kForced)) {
        prepared.push_back(transaction);
      }
    }
    std::vector<HeuristicRecord> live;
    for (const auto& [id, record] : heuristics) {
      if (record.state != HeuristicState::kAgreed) live.push_back(record);
    }
    participant_.Recover(now, std::move(prepared), gateway_seen, std::move(live), {traces.begin(), traces.end()});
  }

  Effects Step(std::vector<ParticipantInput> inputs = {}) {
    BankKeys keys;
    for (const ParticipantInput& input : inputs) participant_.CollectKeys(input, keys);
    BankRows rows;
    const auto load = [](const auto& ids, const auto& stored, auto& found) {
      for (const auto& id : ids) {
        if (const auto row = stored.find(id); row != stored.end()) found.insert(*row);
      }
    };
    load(keys.transactions, transaction_rows, rows.transactions);
    load(keys.transactions, traces, rows.traces);
    load(keys.accounts, account_rows, rows.accounts);
    Effects effects = participant_.Step(now, std::move(inputs), std::move(rows));
    Write(effects.records);
    return effects;
  }

  BankCommand Command(CommandKind kind, const PaymentOrder& order, std::uint64_t epoch = 1) const {
    BankCommand command{kind, order.id, epoch, kStoreId, 7, {}, {}, {}};
    if (kind != CommandKind::kPrepare) return command;
    command.from = order.from;
    command.to = order.to;
    command.amount = order.amount;
    return command;
  }
  BankReply Do(BankCommand command) { return Step({CommandInput{{1, 0}, std::move(command)}}).answers.at(0).reply; }
  BankReply Do(CommandKind kind, const PaymentOrder& order, std::uint64_t epoch = 1) {
    return Do(Command(kind, order, epoch));
  }
  void Open(const std::string& account, std::int64_t balance) {
    Step({OpenAccountInput{Id(static_cast<std::uint8_t>(100 + account_rows.size())), account, Usd(balance)}});
  }

  void Pass(Duration time) {
    now.monotonic += time;
    now.wall += time;
  }

  const Participant& participant() const { return participant_; }
  std::size_t EntriesOf(const Uuid& id) const {
    return static_cast<std::size_t>(std::ranges::count(entries, id, &EntryRecord::transaction_id));
  }

  Now now{MonotonicTime(seconds(1000)), WallTime(seconds(1'000'000))};
  std::map<Uuid, BankTransactionRecord> transaction_rows;
  std::map<std::string, AccountRecord> account_rows;
  std::vector<EntryRecord> entries;
  std::optional<GatewaySeen> gateway_seen;
  std::map<Uuid, HeuristicRecord> heuristics;
  std::map<Uuid, std::string> traces;

 private:
  void Write(const BankRecords& records) {
    const auto put = [](auto& rows, const auto& changed, auto key) {
      for (const auto& row : changed) rows[row.*key] = row;
    };
    put(transaction_rows, records.transactions, &BankTransactionRecord::id);
    put(account_rows, records.accounts, &AccountRecord::account_id);
    entries.insert(entries.end(), records.entries.begin(), records.entries.end());
    if (records.gateway_seen) gateway_seen = records.gateway_seen;
    put(heuristics, records.heuristics, &HeuristicRecord::transaction_id);
    for (const TraceRecord& trace : records.traces) traces[trace.id] = trace.bytes;
  }

  ParticipantOptions options_;
  Participant participant_;
};

// "a:prepare b:prepare" in the order sent.
inline std::string Sent(const CoordinatorEffects& effects) {
  std::string text;
  for (const AddressedCommand& sent : effects.commands) {
    const CommandKind kind = sent.command.kind;
    text += (text.empty() ? "" : " ") + sent.bank_id;
    text += kind == CommandKind::kPrepare ? ":prepare" : kind == CommandKind::kCommit ? ":commit" : ":abort";
  }
  return text;
}

inline SubmitAnswer OnlyAnswer(const CoordinatorEffects& effects) {
  STRIFE_ASSERT(effects.submit_answers.size() == 1);
  return effects.submit_answers.front();
}

}  // namespace strife::protocol::testing
