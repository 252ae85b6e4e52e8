// Checkers: the invariants, asked about everything a commit touches as soon as it is durable, and about every message
// before it leaves. They keep their own copy of what is durable, so that what a store answers is checked as well.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "env/bank_store.h"
#include "env/gateway_store.h"
#include "invariant/ledger_invariants.h"
#include "invariant/payment_invariants.h"
#include "protocol/coordinator.h"
#include "protocol/participant.h"
#include "sim/violation.h"
#include "sim/world.h"

namespace strife::sim {

class Checkers {
 public:
  // Banks are numbered from 0 in the order of their ids here.
  Checkers(World& world, std::vector<std::string> bank_ids);

  // A batch is durable.
  void GatewayCommitted(const GatewayRecords& records);
  void BankCommitted(std::size_t bank, const BankRecords& records);

  // A message leaves (rule 1): what it says must be durable.
  void GatewaySends(const protocol::AddressedCommand& sent);
  void GatewayAnswers(const protocol::SubmitAnswer& answer);
  void GatewayAnswers(const Uuid& id, const protocol::InquiryAnswer& answer);
  void BankAnswers(std::size_t bank, const protocol::BankReply& reply);

  // For what others find.
  void Report(std::string_view invariant, const Uuid& id, std::string bank_id, std::string sentence);

  // In the order in which they were found; only the first ones are kept.
  const std::vector<Violation>& violations() const { return violations_; }

 private:
  // What a bank has about one transaction.
  struct BankRows {
    std::size_t bank;
    std::optional<protocol::BankTransactionRecord> transaction;
    std::vector<protocol::EntryRecord> entries;
  };
  struct Rows {
    std::optional<protocol::PaymentRecord> payment;
    std::vector<BankRows> banks;
  };
  struct Books {
    std::map<std::string, invariant::AccountSums> sums;
  };

  BankRows& RowsAt(std::size_t bank, const Uuid& id);
  const BankRows* FindAt(std::size_t bank, const Uuid& id) const;
  void CheckPayment(const Uuid& id);
  void CheckBatchBalances(std::size_t bank, const BankRecords& records, invariant::Violations& found);
  void Count(Books& books, const protocol::BankTransactionRecord& transaction, int sign);
  void Add(invariant::Violations found);

  World& world_;
  const std::vector<std::string> bank_ids_;
  std::unordered_map<Uuid, Rows> rows_;
  std::vector<Books> books_;
  std::vector<Violation> violations_;
};

}  // namespace strife::sim
