#include "bank/bank_metrics.h"

#include "protocol/reason.h"

namespace strife::bank {

using protocol::BankTransactionRecord;
using protocol::BankTransactionState;

namespace {

constexpr std::string_view kEndings[] = {"COMMITTED", "ABORTED"};

}  // namespace

BankMetrics::BankMetrics() : ended_(kEndings), refused_(protocol::reason::All()) {}

void BankMetrics::Recovered(std::span<const BankTransactionRecord> prepared) {
  for (const BankTransactionRecord& record : prepared) {
    if (record.state == BankTransactionState::kPrepared) prepared_.Open(record.id, record.created_at);
  }
}

void BankMetrics::Durable(std::span<const BankTransactionRecord> records) {
  for (const BankTransactionRecord& record : records) {
    if (record.state == BankTransactionState::kPrepared) {
      held_.Add();
      prepared_.Open(record.id, record.created_at);
      continue;
    }
    prepared_.Close(record.id, record.created_at);
    ended_.Add(StateName(record.state));
    if (!record.reason_code.empty()) refused_.Add(record.reason_code);
  }
}

void BankMetrics::Collect(MetricWriter& writer, WallTime now) const {
  writer.Count("strife_bank_transactions_prepared_total", "YES votes: transactions held for the gateway's decision.",
               {}, held_);
  ended_.Each([&](std::string_view state, const Counter& count) {
    if (state == "other") return;
    writer.Count("strife_bank_transactions_total", "Transactions that have ended here.", {{"state", state}}, count);
  });
  refused_.Each([&](std::string_view reason, const Counter& count) {
    writer.Count("strife_bank_transactions_refused_total", "NO votes, by reason.", {{"reason", reason}}, count);
  });
  writer.Gauge("strife_bank_transactions_in_doubt", "Transactions that wait for the gateway's decision.", {},
               static_cast<double>(prepared_.count()));
  writer.Gauge("strife_bank_transactions_in_doubt_oldest_age_seconds", "Age of the oldest of them.", {},
               prepared_.OldestAge(now));
}

}  // namespace strife::bank
