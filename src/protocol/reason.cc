#include "protocol/reason.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace strife::protocol::reason {

std::span<const std::string_view> All() {
  static constexpr std::string_view kAll[] = {kTimeoutCreditorAgent,
                                              kTimeoutDebtorAgent,
                                              kBankOffline,
                                              kDebtorAccountUnknown,
                                              kCreditorAccountUnknown,
                                              kAccountClosed,
                                              kAccountBlocked,
                                              kAccountCurrency,
                                              kForbidden,
                                              kAmountTooLarge,
                                              kInsufficientFunds,
                                              kDuplicate,
                                              kInvalidAmount,
                                              kOrderCancelled,
                                              kGatewayRestarted,
                                              kTransactionAborted,
                                              kTransactionIdReused,
                                              kProtocolViolation,
                                              kStaleEpoch,
                                              kStorageFull,
                                              kCommitDelayed,
                                              kHeuristicMixed,
                                              kBankSuspended};
  return kAll;
}

bool IsABanks(std::string_view code) {
  static constexpr std::string_view kRefusals[] = {kDebtorAccountUnknown, kCreditorAccountUnknown, kAccountClosed,
                                                   kAccountBlocked,       kAccountCurrency,        kForbidden,
                                                   kAmountTooLarge,       kInsufficientFunds,      kInvalidAmount};
  return std::ranges::find(kRefusals, code) != std::end(kRefusals);
}

std::string_view Describe(std::string_view code) {
  static constexpr std::pair<std::string_view, std::string_view> kTexts[] = {
      {kTimeoutCreditorAgent, "The payee's bank did not answer in time; no money moved."},
      {kTimeoutDebtorAgent, "The payer's bank did not answer in time; no money moved."},
      {kBankOffline, "A bank of this payment cannot be reached; no money moved."},
      {kDebtorAccountUnknown, "The payer's account does not exist at its bank."},
      {kCreditorAccountUnknown, "The payee's account does not exist at its bank."},
      {kAccountClosed, "An account of this payment is closed."},
      {kAccountBlocked, "An account of this payment is blocked."},
      {kAccountCurrency, "An account of this payment is not kept in this currency."},
      {kForbidden, "This payment is not allowed."},
      {kAmountTooLarge, "The amount is larger than the account can take."},
      {kInsufficientFunds, "The payer's account does not have enough available funds."},
      {kDuplicate, "A transaction with this id exists already."},
      {kInvalidAmount, "The amount must be more than zero and within the limit."},
      {kOrderCancelled, "Its user gave this payment up before it had begun; no money moved."},
      {kGatewayRestarted, "The gateway restarted before this payment was decided; no money moved."},
      {kTransactionAborted, "The transaction was aborted before the bank was asked to prepare it."},
      {kTransactionIdReused, "This transaction id belongs to another payment; use a new id."},
      {kProtocolViolation, "A bank contradicted its own record of this payment; no money moved."},
      {kStaleEpoch, "Another gateway has taken this payment over."},
      {kBankSuspended, "A bank of this payment is suspended by the gateway's operators; no money moved."},
      {kHeuristicMixed,
       "Operators of a bank have decided otherwise about its part; they settle the difference by hand, do not pay "
       "again."},
      {kStorageFull, "A bank of this payment has no disk space left for new payments; no money moved."},
      {kCommitDelayed, "Decided, but a bank has not confirmed yet; the payment completes by itself, do not pay again."},
  };
  for (const auto& [known, text] : kTexts) {
    if (known == code) return text;
  }
  return {};
}

}  // namespace strife::protocol::reason
