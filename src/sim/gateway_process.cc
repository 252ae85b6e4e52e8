#include "sim/gateway_process.h"

#include <utility>

#include "sim/bank_process.h"
#include "sim/story.h"

namespace strife::sim {

using protocol::BankCommand;
using protocol::CoordinatorEvent;
using protocol::InquiryAnswer;
using protocol::SubmitAnswer;

namespace {

constexpr Duration kCallTimeout = seconds(2);  // of a message to a bank

}  // namespace

GatewayMachine::Effects GatewayMachine::Take(protocol::CoordinatorEffects out) const {
  GatewayRecords records;
  records.payments = std::move(out.payments);
  records.banks = std::move(out.banks);
  records.traces = std::move(out.traces);
  records.sequence = coordinator.sequence();
  return {std::move(records), std::move(out)};
}

Result<GatewayProcess::Effects> GatewayProcess::Boot() {
  fenced_ = false;
  store_ = OnDisk(OpenMemoryGatewayStore(memory_), disk_, *this, [this](const GatewayRecords& records) {
    TellOfRecords(records);
    parts_.checkers.GatewayCommitted(records);
  });
  const auto incarnation = store_->OpenIncarnation(Uuid{{9}});
  if (!incarnation) return std::unexpected(incarnation.error());
  machine_.emplace(GatewayMachine{protocol::Coordinator(protocol::CoordinatorOptions{})});
  protocol::CoordinatorPast past{incarnation->store_id, incarnation->epoch, incarnation->sequence,
                                 store_->LoadOpenPayments().value(), OpenMemoryGatewayReader(memory_)->Banks().value()};
  GatewayKeys open;
  for (const protocol::PaymentRecord& payment : past.open_payments) open.payments.push_back(payment.order.id);
  if (auto rows = store_->Load(open)) past.traces = std::move(rows->traces);
  return machine_->Take(machine_->coordinator.Recover(now(), std::move(past)));
}

void GatewayProcess::Forget() {
  clients_.clear();
  banks_.clear();
}

void GatewayProcess::OnFenced() {
  fenced_ = true;
  ++parts_.counts.fenced;
}

// One that was replaced leaves the store to its successor.
void GatewayProcess::PlanRestart() {
  if (!fenced_) Process::PlanRestart();
}

// ---- What arrives ----

void GatewayProcess::Submit(const Process& from, const protocol::PaymentOrder& order, bool cancel,
                            SubmitAnswered answered) {
  Arrive([this, &from, payment = order, cancel, answered = std::move(answered)]() mutable {
    Tell(payment.id,
         [&] { return (cancel ? "is to cancel the payment of " : "gets the payment from ") + from.name(); });
    clients_.emplace(++last_call_, WaitingClient{&from, payment.id, std::move(answered)});
    protocol::SubmitInput input{{last_call_, 0}, std::move(payment), disk_.low()};
    input.cancel = cancel;
    Push(std::move(input));
  });
}

void GatewayProcess::Inquire(const Process& from, protocol::InquiryInput input, InquiryAnswered answered) {
  Arrive([this, &from, input = std::move(input), answered = std::move(answered)]() mutable {
    Tell(input.id, [&] { return "is asked for the decision by " + from.name(); });
    banks_.emplace(++last_call_, WaitingBank{&from, input.id, std::move(answered)});
    input.reply_to = {last_call_, 0};
    Push(std::move(input));
  });
}

void GatewayProcess::Register(protocol::RegisterInput input) {
  Arrive([this, input = std::move(input)]() mutable { Push(std::move(input)); });
}

void GatewayProcess::Find(const Process& from, const std::string& user, const Uuid& id, Found found) {
  Arrive([this, &from, user, id, found = std::move(found)] {
    auto payment = OpenMemoryGatewayReader(memory_)->FindPayment(id).value();
    if (payment && payment->order.payer != user) payment.reset();
    SendTo(from, [payment = std::move(payment), found] { found(payment); });
  });
}

void GatewayProcess::Greet(const Process& from, std::function<void()> answered) {
  Arrive([this, &from, answered = std::move(answered)] { SendTo(from, answered); });
}

// ---- What is sent ----

GatewayProcess::Sending GatewayProcess::Sends(Effects effects) {
  NoteEvents(effects.out.events);
  machine_->coordinator.Sent(now().wall);
  Sending sends;
  SendCommands(std::move(effects.out.commands), sends);
  for (const SubmitAnswer& answer : effects.out.submit_answers) SendAnswer(answer, sends);
  for (const InquiryAnswer& answer : effects.out.inquiry_answers) SendAnswer(answer, sends);
  return sends;
}

// One message for each bank.
void GatewayProcess::SendCommands(std::vector<protocol::AddressedCommand> commands, Sending& sends) {
  std::map<std::size_t, std::vector<BankCommand>> messages;
  for (protocol::AddressedCommand& sent : commands) {
    parts_.checkers.GatewaySends(sent);
    for (std::size_t bank = 0; bank < parts_.banks.size(); ++bank) {
      if (parts_.banks[bank]->name() == sent.bank_id) messages[bank].push_back(std::move(sent.command));
    }
  }
  for (auto& [bank, message] : messages) {
    sends.push_back([this, bank = bank, message = std::move(message)] { Call(bank, message); });
  }
}

// Every command comes back exactly once to the run that sent it: with the bank's reply or as undelivered.
void GatewayProcess::Call(std::size_t bank, const std::vector<BankCommand>& commands) {
  BankProcess& to = *parts_.banks[bank];
  const auto open = std::make_shared<bool>(true);
  After(kCallTimeout, [this, &to, open, commands] {
    if (!std::exchange(*open, false)) return;
    protocol::UndeliveredInput undelivered{to.name(), {}};
    for (const BankCommand& command : commands) {
      Tell(command.id, [&] { return "has no answer to " + Describe(command) + " from " + to.name(); });
      undelivered.commands.push_back({command.id, command.kind});
    }
    Push(std::move(undelivered));
  });
  auto answered = InThisRun([this, &to, open](const std::vector<protocol::BankReply>& replies) {
    Arrive([this, &to, open, replies] {
      if (!std::exchange(*open, false)) return;
      for (const protocol::BankReply& reply : replies) {
        Tell(reply.id, [&] { return "hears from " + to.name() + ": " + Describe(reply); });
      }
      Push(protocol::BankRepliesInput{to.name(), replies});
    });
  });
  const SendResult sent =
      SendTo(to, [this, &to, commands, answered = std::move(answered)] { to.Execute(*this, commands, answered); });
  for (const BankCommand& command : commands) {
    Tell(command.id, [&] { return "sends " + Describe(command) + " to " + to.name() + Describe(sent); });
  }
}

void GatewayProcess::SendAnswer(const SubmitAnswer& answer, Sending& sends) {
  parts_.checkers.GatewayAnswers(answer);
  auto waiting = clients_.extract(answer.reply_to.call);
  if (waiting.empty()) {
    return parts_.checkers.Report(kProtocol, answer.payment.order.id, {}, name() + " answers a request twice");
  }
  if (answer.outcome == protocol::SubmitOutcome::kNeedsReconciliation && !IsReplaced()) {
    parts_.checkers.Report(kProtocol, waiting.mapped().id, {}, name() + " thinks its store is an old copy");
  }
  sends.push_back([this, answer, client = std::move(waiting.mapped())] {
    const SendResult sent = SendTo(*client.from, [answer, answered = client.answered] { answered(answer); });
    Tell(client.id, [&] { return "tells " + client.from->name() + ": " + Describe(answer) + Describe(sent); });
  });
}

void GatewayProcess::SendAnswer(const InquiryAnswer& answer, Sending& sends) {
  auto waiting = banks_.extract(answer.reply_to.call);
  if (waiting.empty()) return parts_.checkers.Report(kProtocol, {}, {}, name() + " answers an inquiry twice");
  WaitingBank bank = std::move(waiting.mapped());
  parts_.checkers.GatewayAnswers(bank.id, answer);
  if (answer.outcome == protocol::InquiryOutcome::kNotAParticipant) {
    parts_.checkers.Report(kProtocol, bank.id, bank.from->name(),
                           name() + " says that " + bank.from->name() + " has no part in transaction " +
                               bank.id.ToString() + ", for which it asked it to prepare");
  }
  sends.push_back([this, answer, bank = std::move(bank), epoch = machine_->coordinator.epoch()] {
    const bool decided = answer.outcome == protocol::InquiryOutcome::kDecided;
    const auto decision = decided ? std::optional(answer.decision) : std::nullopt;
    const SendResult sent =
        SendTo(*bank.from, [decision, epoch, answered = bank.answered] { answered(decision, epoch); });
    Tell(bank.id, [&] { return "tells " + bank.from->name() + ": " + Describe(decision) + Describe(sent); });
  });
}

void GatewayProcess::NoteEvents(const std::vector<CoordinatorEvent>& events) {
  for (const CoordinatorEvent& event : events) {
    Tell(event.id, [&] { return "notes: " + event.what; });
    using Kind = CoordinatorEvent::Kind;
    // One that has been replaced and does not know it takes what banks have seen of its successor for the work of a
    // future that its store has forgotten.
    const bool expected = event.kind == Kind::kPartialCommit || event.kind == Kind::kStaleEpoch ||
                          (event.kind == Kind::kNeedsReconciliation && IsReplaced());
    if (!expected) parts_.checkers.Report(kProtocol, event.id, event.bank_id, event.what);
  }
}

bool GatewayProcess::IsReplaced() const {
  std::uint64_t newest = 0;
  memory_->Access([&](MemoryGatewayContents& contents) { newest = contents.epoch; });
  return machine_->coordinator.epoch() < newest;
}

void GatewayProcess::TellOfRecords(const GatewayRecords& records) {
  for (const protocol::PaymentRecord& payment : records.payments) {
    Tell(payment.order.id, [&] { return "records " + Describe(payment); });
  }
}

}  // namespace strife::sim
