#include "sim/client_process.h"

#include "sim/gateway_process.h"
#include "sim/gateways.h"
#include "sim/story.h"

namespace strife::sim {

using protocol::SubmitAnswer;
using protocol::SubmitOutcome;

namespace {

constexpr Duration kEnterAgain = milliseconds(500);
constexpr Duration kAskAgainLeast = seconds(1);
constexpr Duration kAskAgainMost = seconds(7);

}  // namespace

template <typename Change>
bool ClientProcess::Commit(const Change& change) {
  if (At(EffectKind::kCommitBegins) == Fate::kCrash) {
    Crash("killed before it kept something");
    return false;
  }
  change();
  if (At(EffectKind::kCommitDurable) == Fate::kCrash) {
    Crash("killed after it kept something");
    return false;
  }
  return true;
}

void ClientProcess::Enter(const PlannedPayment& planned) {
  ++open_;
  parts_.world.After(Duration(0), [this, planned] {
    if (!up() || paused()) {
      parts_.world.After(kEnterAgain, [this, planned] {
        --open_;
        Enter(planned);
      });
      return;
    }
    --open_;
    bool kept = false;
    const bool alive = Commit([&] {
      kept = true;
      ++open_;
      kept_.push_back({planned.order});
      parts_.auditor.Asked(planned);
      Tell(planned.order.id, [&] { return "keeps what its user enters: " + Describe(planned.order); });
    });
    if (!kept) return Enter(planned);
    if (alive) Ask(kept_.size() - 1);
  });
}

void ClientProcess::OnStart() {
  for (std::size_t n = 0; n < kept_.size(); ++n) {
    if (kept_[n].final_answers_left == 0) continue;
    After(parts_.world.random().Between(Duration(0), kAskAgainLeast), [this, n] { Ask(n); });
  }
}

void ClientProcess::Ask(std::size_t n) {
  if (kept_[n].final_answers_left == 0) return;
  if (At(EffectKind::kSend) == Fate::kCrash) return Crash("killed before it asked");
  After(parts_.world.random().Between(kAskAgainLeast, kAskAgainMost), [this, n] { Ask(n); });
  GatewayProcess* gateway = PickGateway(parts_);
  auto answered = InThisRun([this, n](const SubmitAnswer& answer) { Arrive([this, n, answer] { Told(n, answer); }); });
  const protocol::PaymentOrder& order = kept_[n].order;
  const SendResult sent = SendTo(*gateway, [this, gateway, order, answered = std::move(answered)] {
    gateway->Submit(*this, order, false, answered);
  });
  Tell(order.id, [&] { return "asks " + gateway->name() + Describe(sent); });
}

void ClientProcess::Told(std::size_t n, const SubmitAnswer& answer) {
  Kept& kept = kept_[n];
  Tell(kept.order.id, [&] { return "hears: " + Describe(answer); });
  parts_.auditor.Told(kept.order, answer);
  if (kept.final_answers_left == 0) return;
  const bool has_state = answer.outcome == SubmitOutcome::kEnded || answer.outcome == SubmitOutcome::kDuplicate;
  const bool final = has_state ? IsFinal(answer.payment.state)
                     : answer.outcome == SubmitOutcome::kUnknownPayeeBank
                         ? kept.order.to.bank_id == kUnknownBank  // another one may just not have registered yet
                         : answer.outcome == SubmitOutcome::kReused;
  if (!final) return;
  Commit([&] {
    if (--kept.final_answers_left == 0) --open_;
  });
}

std::vector<Uuid> ClientProcess::Unfinished() const {
  std::vector<Uuid> ids;
  for (const Kept& kept : kept_) {
    if (kept.final_answers_left > 0) ids.push_back(kept.order.id);
  }
  return ids;
}

}  // namespace strife::sim
