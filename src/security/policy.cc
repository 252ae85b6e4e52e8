#include "security/policy.h"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace strife::security {
namespace {

constexpr RoleSet kClientOnly{Role::kClient};
constexpr RoleSet kBankOnly{Role::kBank};
constexpr RoleSet kGatewayOnly{Role::kGateway};
constexpr RoleSet kOperatorOnly{Role::kOperator};
constexpr RoleSet kGatewayOrOperator{Role::kGateway, Role::kOperator};
constexpr RoleSet kAnyone{Role::kGateway, Role::kBank, Role::kClient, Role::kOperator};

constexpr std::array kTable = {
    // Users. An operator's certificate cannot act as a user.
    MethodPolicy{"/strife.v1.PaymentGateway/AuthenticateClient", kClientOnly, std::nullopt},
    MethodPolicy{"/strife.v1.PaymentGateway/RefreshSession", kClientOnly, std::nullopt},
    MethodPolicy{"/strife.v1.PaymentGateway/LogoutClient", kClientOnly, UserRole::kUser},
    MethodPolicy{"/strife.v1.PaymentGateway/ProcessPayment", kClientOnly, UserRole::kUser},
    MethodPolicy{"/strife.v1.PaymentGateway/ProcessPayments", kClientOnly, UserRole::kUser},
    MethodPolicy{"/strife.v1.PaymentGateway/CancelPayment", kClientOnly, UserRole::kUser},
    MethodPolicy{"/strife.v1.PaymentGateway/GetPayment", kClientOnly, UserRole::kUser},
    MethodPolicy{"/strife.v1.PaymentGateway/TracePayment", kClientOnly, UserRole::kUser},
    MethodPolicy{"/strife.v1.PaymentGateway/CheckBalance", kClientOnly, UserRole::kUser},
    MethodPolicy{"/strife.v1.PaymentGateway/ViewTransactionHistory", kClientOnly, UserRole::kUser},
    // Banks, at the gateway.
    MethodPolicy{"/strife.v1.PaymentGateway/RegisterBank", kBankOnly, std::nullopt},
    MethodPolicy{"/strife.v1.PaymentGateway/InquireTransaction", kBankOnly, std::nullopt},
    // The gateway, at a bank.
    MethodPolicy{"/strife.v1.Bank/GetBalance", kGatewayOnly, std::nullopt},
    MethodPolicy{"/strife.v1.Bank/PrepareTransaction", kGatewayOnly, std::nullopt},
    MethodPolicy{"/strife.v1.Bank/CommitTransaction", kGatewayOnly, std::nullopt},
    MethodPolicy{"/strife.v1.Bank/AbortTransaction", kGatewayOnly, std::nullopt},
    MethodPolicy{"/strife.v1.Bank/ExecuteBatch", kGatewayOnly, std::nullopt},
    // Looking into a bank's books, and moving its own cash.
    MethodPolicy{"/strife.v1.Bank/GetTransactionStatus", kGatewayOrOperator, std::nullopt},
    MethodPolicy{"/strife.v1.Bank/GetLedgerTotals", kGatewayOrOperator, std::nullopt},
    MethodPolicy{"/strife.v1.Bank/ProcessTransaction", kOperatorOnly, std::nullopt},
    // Operators' own services.
    MethodPolicy{"/strife.v1.GatewayAdmin/ListInDoubtPayments", kOperatorOnly, std::nullopt},
    MethodPolicy{"/strife.v1.GatewayAdmin/TracePayment", kOperatorOnly, std::nullopt},
    MethodPolicy{"/strife.v1.GatewayAdmin/ListBanks", kOperatorOnly, std::nullopt},
    MethodPolicy{"/strife.v1.GatewayAdmin/ListTransactions", kOperatorOnly, std::nullopt},
    MethodPolicy{"/strife.v1.GatewayAdmin/ListSessions", kOperatorOnly, std::nullopt},
    MethodPolicy{"/strife.v1.GatewayAdmin/EndSessions", kOperatorOnly, std::nullopt},
    MethodPolicy{"/strife.v1.GatewayAdmin/SetSuspension", kOperatorOnly, std::nullopt},
    MethodPolicy{"/strife.v1.GatewayAdmin/SetDraining", kOperatorOnly, std::nullopt},
    MethodPolicy{"/strife.v1.BankAdmin/ListInDoubtTransactions", kOperatorOnly, std::nullopt},
    MethodPolicy{"/strife.v1.BankAdmin/ForceTransaction", kOperatorOnly, std::nullopt},
    MethodPolicy{"/strife.v1.BankAdmin/AcknowledgeTransaction", kOperatorOnly, std::nullopt},
    // Health tells no more than whether the server serves. Watch holds a stream open, so users may not.
    MethodPolicy{"/grpc.health.v1.Health/Check", kAnyone, std::nullopt},
    MethodPolicy{"/grpc.health.v1.Health/Watch", kGatewayOrOperator, std::nullopt},
};

}  // namespace

std::span<const MethodPolicy> PolicyTable() { return kTable; }

const MethodPolicy* FindPolicy(std::string_view method) {
  static const auto* const by_method = [] {
    auto* map = new std::unordered_map<std::string_view, const MethodPolicy*>;
    for (const MethodPolicy& row : kTable) map->emplace(row.method, &row);
    return map;
  }();
  const auto found = by_method->find(method);
  return found == by_method->end() ? nullptr : found->second;
}

Status AuthorizeCertificate(const MethodPolicy* policy, const Identity& caller) {
  if (policy == nullptr) return Fail(ErrorCode::kPermissionDenied, "This method may not be called by anybody");
  if (!policy->certificate_roles.Contains(caller.role)) {
    return Fail(ErrorCode::kPermissionDenied, "A certificate of role " + std::string(RoleName(caller.role)) +
                                                  " may not call " + std::string(policy->method));
  }
  return {};
}

Status AuthorizeCall(const MethodPolicy* policy, const Identity& caller, const AccessTokenClaims* claims) {
  if (Status status = AuthorizeCertificate(policy, caller); !status) return status;
  if (!policy->user_role) return {};
  if (claims == nullptr) {
    return Fail(ErrorCode::kUnauthenticated, "This method needs an access token; log in and send it as a bearer token");
  }
  if (claims->role != *policy->user_role) {
    return Fail(ErrorCode::kPermissionDenied, "Users of role " + std::string(UserRoleName(claims->role)) +
                                                  " may not call " + std::string(policy->method));
  }
  return {};
}

Status AuthorizeOperator(const OperatorNames& operators, const Identity& caller, const Identity& server) {
  if (caller.role != Role::kOperator || !operators) return {};
  if (std::ranges::find(*operators, caller.name) != operators->end()) return {};
  return Fail(ErrorCode::kPermissionDenied, "operator/" + caller.name + " is no operator of " + server.name +
                                                ": \"operators\" in the configuration of " + server.name +
                                                " does not name it");
}

std::vector<std::string> MissingFromPolicy(std::span<const std::string> methods) {
  std::vector<std::string> missing;
  for (const std::string& method : methods) {
    if (FindPolicy(method) == nullptr) missing.push_back(method);
  }
  return missing;
}

}  // namespace strife::security
