// What a bank measures about transactions: how they end, what is held for the gateway's decision.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "base/time.h"
#include "observability/metrics.h"
#include "protocol/types.h"
#include "server/label_counts.h"
#include "server/open_ages.h"

namespace strife::bank {

// Collect is thread-safe; the rest is for the engine's thread.
class BankMetrics {
 public:
  BankMetrics();

  // Transactions that were prepared when the process started. Before the engine runs.
  void Recovered(std::span<const protocol::BankTransactionRecord> prepared);
  // Records that have become durable.
  void Durable(std::span<const protocol::BankTransactionRecord> records);

  // Transactions that wait for the gateway's decision.
  const server::OpenAges& prepared() const { return prepared_; }

  void Collect(MetricWriter& writer, WallTime now) const;

 private:
  server::LabelCounts ended_;
  server::LabelCounts refused_;
  server::OpenAges prepared_;
  Counter held_;
};

}  // namespace strife::bank
