// Reason codes: why a payment did not complete. ISO 20022 external status reason codes where one fits.
#pragma once

#include <span>
#include <string_view>

namespace strife::protocol::reason {

// ISO 20022 ExternalStatusReason1Code
inline constexpr std::string_view kTimeoutCreditorAgent = "AB05";
inline constexpr std::string_view kTimeoutDebtorAgent = "AB06";
inline constexpr std::string_view kBankOffline = "AB08";
inline constexpr std::string_view kDebtorAccountUnknown = "AC01";
inline constexpr std::string_view kCreditorAccountUnknown = "AC03";
inline constexpr std::string_view kAccountClosed = "AC04";
inline constexpr std::string_view kAccountBlocked = "AC06";
inline constexpr std::string_view kAccountCurrency = "AC09";
inline constexpr std::string_view kForbidden = "AG01";
inline constexpr std::string_view kAmountTooLarge = "AM02";
inline constexpr std::string_view kInsufficientFunds = "AM04";
inline constexpr std::string_view kDuplicate = "AM05";
inline constexpr std::string_view kInvalidAmount = "AM12";
inline constexpr std::string_view kOrderCancelled = "DS02";

// Strife's own
inline constexpr std::string_view kGatewayRestarted = "GATEWAY_RESTARTED";
inline constexpr std::string_view kTransactionAborted = "TRANSACTION_ABORTED";
inline constexpr std::string_view kTransactionIdReused = "TRANSACTION_ID_REUSED";
inline constexpr std::string_view kProtocolViolation = "PROTOCOL_VIOLATION";
inline constexpr std::string_view kStaleEpoch = "STALE_EPOCH";
inline constexpr std::string_view kStorageFull = "STORAGE_FULL";
inline constexpr std::string_view kCommitDelayed = "COMMIT_DELAYED";
inline constexpr std::string_view kHeuristicMixed = "HEURISTIC_MIXED";
inline constexpr std::string_view kBankSuspended = "BANK_SUSPENDED";

// All of the above.
std::span<const std::string_view> All();

// Whether a bank that gives this code for a NO has the payment on record as refused for it.
bool IsABanks(std::string_view code);

// One sentence for a person; empty for a code this version does not know.
std::string_view Describe(std::string_view code);

}  // namespace strife::protocol::reason
