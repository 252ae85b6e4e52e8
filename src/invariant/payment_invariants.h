// What must hold for one transaction: between the gateway's record and the banks, and within each bank. Pure functions
// over rows; each appends what it finds to `out`.
#pragma once

#include <span>
#include <string_view>

#include "invariant/violation.h"
#include "protocol/heuristic.h"
#include "protocol/types.h"

namespace strife::invariant {

// One bank's rows about one transaction id.
struct BankView {
  std::string_view bank_id;
  const protocol::BankTransactionRecord* transaction = nullptr;  // null: the bank has none
  std::span<const protocol::EntryRecord> entries;                // by line
  const protocol::HeuristicRecord* heuristic = nullptr;          // what its operators have decided or proposed

  // The bank's part in a payment: null when it has none, or only a transaction of its own with that id.
  const protocol::BankTransactionRecord* Payment() const {
    return transaction != nullptr && transaction->kind == protocol::BankTransactionKind::kPayment ? transaction
                                                                                                  : nullptr;
  }
};

// How the times of two readings relate.
enum class ReadOrder {
  kBankLater,     // or at the same moment: the bank has all that the gateway's record rests on
  kGatewayLater,  // the bank may not have come as far as the gateway's record
};

// Whether the order names the bank as the payer's or the payee's.
bool Touches(const protocol::PaymentOrder& order, std::string_view bank_id);

// Whether the bank's operators have ended its part, and not as the gateway has decided: it may not have decided yet.
// What the bank did is then measured by CheckHeuristic, and not by the rules for what a gateway has told it.
bool ForcedOtherwise(const protocol::PaymentRecord& payment, const BankView& bank);

// Such a part is acknowledged once the gateway has decided, and a payment that was completed in spite of it says so.
// REQUIRES: ForcedOtherwise.
void CheckHeuristic(const protocol::PaymentRecord& payment, const BankView& bank, Violations& out);

// A transaction that operators have ended is as they decided, and exists.
void CheckForced(const BankView& bank, Violations& out);

// No transaction is committed at one bank and aborted at another. Holds whenever the banks were read.
void CheckAgreement(const Uuid& id, std::span<const BankView> banks, Violations& out);

// Commit was decided only if this bank voted yes, and the bank committed only on that decision (rules 3, 4).
// REQUIRES: the payment touches the bank.
void CheckValidity(const protocol::PaymentRecord& payment, const BankView& bank, ReadOrder order, Violations& out);

// COMPLETED means posted here, ABORTED means not posted here. REQUIRES: the payment touches the bank.
void CheckToldTheTruth(const protocol::PaymentRecord& payment, const BankView& bank, ReadOrder order, Violations& out);

// A payment that was aborted because a bank refused it is on that bank's record as refused: a NO is durable before it
// is said (rule 1). REQUIRES: `banks` has all banks of the payment, read at the moment of the gateway or later.
void CheckRefusal(const protocol::PaymentRecord& payment, std::span<const BankView> banks, Violations& out);

// What the bank prepared or committed is what was ordered: its leg or legs, accounts, amount, currency.
void CheckTerms(const protocol::PaymentRecord& payment, const BankView& bank, Violations& out);

// A transaction that is final stays as it is; one that is decided stays decided; what was ordered never changes.
void CheckStability(const protocol::PaymentRecord& before, const protocol::PaymentRecord& after, Violations& out);

// A committed transaction has exactly the entries it must have, any other has none.
void CheckExactlyOnce(const BankView& bank, Violations& out);

// The entries of a transaction sum to zero in each currency.
void CheckEntriesBalance(const BankView& bank, Violations& out);

// The entries that committing `transaction` writes, without posting time.
std::vector<protocol::EntryRecord> ExpectedEntries(const protocol::BankTransactionRecord& transaction);

}  // namespace strife::invariant
