// The gateway's state machine: the coordinator for payments and the sessions for logins, over one store and one engine.
// Pure, like its parts.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "env/gateway_store.h"
#include "protocol/coordinator.h"
#include "security/login_throttle.h"
#include "security/session.h"

namespace strife::gateway {

// Operators suspend a bank or a user, or resume it; a bank that is resumed is ahead no more (ReconciledInput).
// `reply_to` is given back once it is durable.
struct SuspensionInput {
  protocol::ReplyTo reply_to;
  SuspensionRecord record;
};

using GatewayInput = std::variant<protocol::CoordinatorInput, security::SessionInput, security::LoginInput,
                                  protocol::AuditInput, SuspensionInput>;

struct GatewayEffects {
  GatewayRecords records;                 // durable first
  protocol::CoordinatorEffects protocol;  // its payments and banks have moved to `records`
  std::vector<security::SessionOutcome> sessions;
  std::vector<security::LoginOutcome> logins;
  std::vector<protocol::ReplyTo> audit_answers;  // of AuditInputs and SuspensionInputs
};

class GatewayMachine {
 public:
  using Input = GatewayInput;
  using Keys = GatewayKeys;
  using Rows = GatewayRows;
  using Effects = GatewayEffects;

  explicit GatewayMachine(protocol::CoordinatorOptions options) : coordinator_(options) {}

  // As Coordinator::Recover.
  Effects Recover(const Now& now, protocol::CoordinatorPast past);

  void CollectKeys(const Input& input, Keys& keys) const;
  Effects Step(const Now& now, std::vector<Input> inputs, Rows rows);
  std::optional<MonotonicTime> NextDeadline() const { return coordinator_.NextDeadline(); }
  // As Coordinator::RoomAt.
  protocol::PaymentWindow::Room RoomAt(MonotonicTime now) { return coordinator_.RoomAt(now); }
  // As Coordinator::Sent.
  void Sent(WallTime at) { coordinator_.Sent(at); }

  const protocol::Coordinator& coordinator() const { return coordinator_; }

 private:
  void Take(const Now& now, Effects& effects, protocol::CoordinatorEffects protocol);

  protocol::Coordinator coordinator_;
};

}  // namespace strife::gateway
