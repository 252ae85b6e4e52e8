// The bank's interface in plain types: what rpc/bank_server.h translates Bank calls to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "env/bank_store.h"
#include "rpc/api.h"

namespace strife::rpc {

struct DirectRequest {
  std::string transaction_id;
  std::string account_id;
  bool deposit = true;
  std::int64_t minor_units = 0;
  std::string currency;
};

struct DirectResponse {
  std::string reason_code;  // empty: done
  Money posted;
};

struct LedgerTotalsResponse {
  std::vector<LedgerTotals> totals;
  std::uint64_t prepared_transactions = 0;
  WallTime as_of;
};

struct TransactionStatus {
  std::optional<protocol::BankTransactionRecord> record;  // none: the bank has none
  protocol::Trace trace;
};

// Called from the transport's threads: nothing here may block.
class BankApi {
 public:
  virtual ~BankApi() = default;

  // Replies in the order of the commands. kResourceExhausted: none was looked at.
  virtual void Execute(Caller caller, std::vector<protocol::BankCommand> commands,
                       Done<std::vector<protocol::BankReply>> done) = 0;
  virtual void GetBalance(Caller caller, std::string account_id, Done<Balance> done) = 0;
  virtual void GetTransactionStatus(Caller caller, std::string transaction_id, Done<TransactionStatus> done) = 0;
  virtual void GetLedgerTotals(Caller caller, Done<LedgerTotalsResponse> done) = 0;
  virtual void ProcessTransaction(Caller caller, DirectRequest request, Done<DirectResponse> done) = 0;
};

}  // namespace strife::rpc
