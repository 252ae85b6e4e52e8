#include "gateway/gateway_machine.h"

#include <string>
#include <utility>

namespace strife::gateway {

namespace {

protocol::AuditRecord AuditOf(const protocol::BankRecord& bank, const Now& now) {
  protocol::AuditRecord record;
  record.event = protocol::AuditEvent::kBankRegistered;
  record.at = now.wall;
  record.actor = record.subject = "bank/" + bank.bank_id;
  record.detail = "endpoint=" + bank.endpoint;
  if (bank.ahead > 0) record.detail += " ahead=" + std::to_string(bank.ahead);
  return record;
}

}  // namespace

void GatewayMachine::Take(const Now& now, Effects& effects, protocol::CoordinatorEffects protocol) {
  for (const protocol::BankRecord& bank : protocol.banks) effects.records.audit.push_back(AuditOf(bank, now));
  effects.records.payments = std::move(protocol.payments);
  effects.records.banks = std::move(protocol.banks);
  effects.records.traces = std::move(protocol.traces);
  effects.records.sequence = coordinator_.sequence();
  effects.protocol = std::move(protocol);
}

GatewayMachine::Effects GatewayMachine::Recover(const Now& now, protocol::CoordinatorPast past) {
  Effects effects;
  Take(now, effects, coordinator_.Recover(now, std::move(past)));
  return effects;
}

void GatewayMachine::CollectKeys(const Input& input, Keys& keys) const {
  if (const auto* protocol = std::get_if<protocol::CoordinatorInput>(&input)) {
    coordinator_.CollectKeys(*protocol, keys.payments);
  } else if (const auto* session = std::get_if<security::SessionInput>(&input)) {
    security::Sessions::CollectKeys(*session, keys);
  } else if (const auto* login = std::get_if<security::LoginInput>(&input)) {
    security::LoginThrottle::CollectKeys(*login, keys);
  }
}

GatewayMachine::Effects GatewayMachine::Step(const Now& now, std::vector<Input> inputs, Rows rows) {
  Effects effects;
  std::vector<protocol::CoordinatorInput> protocol_inputs;
  protocol_inputs.reserve(inputs.size());
  for (Input& input : inputs) {
    if (auto* protocol = std::get_if<protocol::CoordinatorInput>(&input)) {
      protocol_inputs.push_back(std::move(*protocol));
    } else if (const auto* session = std::get_if<security::SessionInput>(&input)) {
      effects.sessions.push_back(security::Sessions::Step(now, *session, rows, effects.records));
    } else if (const auto* login = std::get_if<security::LoginInput>(&input)) {
      effects.logins.push_back(security::LoginThrottle::Step(now, *login, rows, effects.records));
    } else if (auto* suspension = std::get_if<SuspensionInput>(&input)) {
      suspension->record.at = now.wall;
      if (!suspension->record.suspended && suspension->record.kind == SuspendedKind::kBank) {
        protocol_inputs.push_back(protocol::ReconciledInput{suspension->record.name});
      }
      effects.records.suspensions.push_back(std::move(suspension->record));
      effects.audit_answers.push_back(suspension->reply_to);
    } else {
      auto& audit = std::get<protocol::AuditInput>(input);
      effects.records.audit.push_back(std::move(audit.record));
      effects.audit_answers.push_back(audit.reply_to);
    }
  }
  Take(now, effects,
       coordinator_.Step(now, std::move(protocol_inputs), std::move(rows.payments), std::move(rows.traces)));
  return effects;
}

}  // namespace strife::gateway
