// Who may call what: one table, default deny.
//
// The table says which certificate roles may call a method and whether an access token is needed. Whether a caller may
// touch the particular account, payment or bank named in the request is for the handler, which knows the request.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "security/certificate.h"
#include "security/token.h"
#include "security/users.h"

namespace strife::security {

class RoleSet {
 public:
  constexpr RoleSet(std::initializer_list<Role> roles) {
    for (Role role : roles) bits_ |= Bit(role);
  }
  constexpr bool Contains(Role role) const { return (bits_ & Bit(role)) != 0; }

 private:
  static constexpr unsigned Bit(Role role) { return 1u << static_cast<unsigned>(role); }
  unsigned bits_ = 0;
};

struct MethodPolicy {
  std::string_view method;  // "/strife.v1.PaymentGateway/ProcessPayment"
  RoleSet certificate_roles;
  // Set: an access token is needed, and its user must have this role.
  std::optional<UserRole> user_role;
};

std::span<const MethodPolicy> PolicyTable();

// nullptr: nobody may call it.
const MethodPolicy* FindPolicy(std::string_view method);

// kPermissionDenied when the method is not in the table or the certificate's role may not call it.
Status AuthorizeCertificate(const MethodPolicy* policy, const Identity& caller);
// Also kUnauthenticated when a token is needed and `claims` is null; kPermissionDenied when the user's role is another.
// `claims` are verified ones.
Status AuthorizeCall(const MethodPolicy* policy, const Identity& caller, const AccessTokenClaims* claims);

// Names of operators, as in their certificates; absent: every operator of the trust domain.
using OperatorNames = std::optional<std::vector<std::string>>;

// kPermissionDenied when the caller is an operator and `server` names others only. Reading counts as well: what a
// bank's books say is the bank's own affair.
Status AuthorizeOperator(const OperatorNames& operators, const Identity& caller, const Identity& server);

// Those of `methods` that have no row. A server asks this with everything it serves and does not start if any is
// missing.
std::vector<std::string> MissingFromPolicy(std::span<const std::string> methods);

}  // namespace strife::security
