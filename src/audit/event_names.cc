#include "audit/event_names.h"

#include <algorithm>
#include <array>
#include <utility>

namespace strife::audit {
namespace {

using protocol::AuditEvent;

constexpr auto kNames = std::to_array<std::pair<AuditEvent, std::string_view>>({
    {AuditEvent::kPaymentCommitted, "payment_committed"},
    {AuditEvent::kPaymentAborted, "payment_aborted"},
    {AuditEvent::kPaymentLate, "payment_late"},
    {AuditEvent::kTransactionCommitted, "transaction_committed"},
    {AuditEvent::kTransactionAborted, "transaction_aborted"},
    {AuditEvent::kLogin, "login"},
    {AuditEvent::kLoginFailed, "login_failed"},
    {AuditEvent::kLogout, "logout"},
    {AuditEvent::kRefreshTokenReused, "refresh_token_reused"},
    {AuditEvent::kSessionRefused, "session_refused"},
    {AuditEvent::kCallRefused, "call_refused"},
    {AuditEvent::kLimited, "limited"},
    {AuditEvent::kBankRegistered, "bank_registered"},
    {AuditEvent::kForceProposed, "force_proposed"},
    {AuditEvent::kForced, "forced"},
    {AuditEvent::kForceRefused, "force_refused"},
    {AuditEvent::kForceAgreed, "force_agreed"},
    {AuditEvent::kForceMixed, "force_mixed"},
    {AuditEvent::kMixedAcknowledged, "mixed_acknowledged"},
    {AuditEvent::kDirectTransaction, "direct_transaction"},
    {AuditEvent::kSessionEnded, "session_ended"},
    {AuditEvent::kBankSuspended, "bank_suspended"},
    {AuditEvent::kBankResumed, "bank_resumed"},
    {AuditEvent::kUserSuspended, "user_suspended"},
    {AuditEvent::kUserResumed, "user_resumed"},
    {AuditEvent::kDrainStarted, "drain_started"},
    {AuditEvent::kDrainEnded, "drain_ended"},
    {AuditEvent::kServerStarted, "server_started"},
    {AuditEvent::kUsersLoaded, "users_loaded"},
    {AuditEvent::kCertificatesLoaded, "certificates_loaded"},
    {AuditEvent::kRevocationListLoaded, "revocation_list_loaded"},
    {AuditEvent::kTokenKeysLoaded, "token_keys_loaded"},
    {AuditEvent::kReloadFailed, "reload_failed"},
});

}  // namespace

std::string_view EventName(AuditEvent event) {
  const auto found = std::ranges::find(kNames, event, &std::pair<AuditEvent, std::string_view>::first);
  return found == kNames.end() ? "unknown" : found->second;
}

std::optional<AuditEvent> EventNamed(std::string_view name) {
  const auto found = std::ranges::find(kNames, name, &std::pair<AuditEvent, std::string_view>::second);
  if (found == kNames.end()) return std::nullopt;
  return found->first;
}

std::vector<std::string_view> EventNames() {
  std::vector<std::string_view> names;
  names.reserve(kNames.size());
  for (const auto& [event, name] : kNames) names.push_back(name);
  return names;
}

}  // namespace strife::audit
