#include "sim/bank_process.h"

#include <utility>

#include "sim/gateway_process.h"
#include "sim/gateways.h"
#include "sim/story.h"

namespace strife::sim {

using protocol::BankCommand;
using protocol::BankReply;
using protocol::Decision;

namespace {

constexpr Duration kCallTimeout = seconds(2);  // of an inquiry
constexpr Duration kHeartbeat = seconds(2);

Uuid OpeningId(std::size_t bank, std::size_t account) {
  Uuid id{{7}};
  id.bytes[7] = static_cast<std::uint8_t>(bank);
  id.bytes[14] = static_cast<std::uint8_t>(account >> 8);
  id.bytes[15] = static_cast<std::uint8_t>(account);
  return id;
}

}  // namespace

BankProcess::BankProcess(Parts& parts, std::size_t number, std::size_t bank, Disk& disk,
                         std::shared_ptr<MemoryBankDisk> store)
    : Node(parts, number, BankName(bank), disk), bank_(bank), memory_(std::move(store)) {}

Result<BankProcess::Effects> BankProcess::Boot() {
  store_ = OnDisk(OpenMemoryBankStore(memory_), disk_, *this, [this](const BankRecords& records) {
    TellOfRecords(records);
    parts_.checkers.BankCommitted(bank_, records);
  });
  if (Status opened = store_->Open(name()); !opened) return std::unexpected(opened.error());
  machine_.emplace(protocol::ParticipantOptions{.bank_id = name()});
  auto prepared = store_->LoadPrepared().value();
  BankKeys keys;
  for (const protocol::BankTransactionRecord& record : prepared) keys.transactions.push_back(record.id);
  const BankRows rows = store_->Load(keys).value();
  machine_->Recover(now(), std::move(prepared), store_->LoadGatewaySeen().value(), store_->LoadHeuristics().value(),
                    rows.traces);
  const Scenario::Cluster& cluster = parts_.scenario.cluster;
  for (std::size_t n = 0; n < static_cast<std::size_t>(cluster.accounts_per_bank); ++n) {
    const Money opening{cluster.opening_minor_units, *Currency::Parse("USD")};
    Push(protocol::OpenAccountInput{OpeningId(bank_, n), AccountName(n), opening});
  }
  return Effects{};
}

void BankProcess::Heartbeat() {
  parts_.world.After(kHeartbeat, [this] { Heartbeat(); });
  if (!up() || paused()) return;
  protocol::RegisterInput input;
  input.bank.bank_id = name();
  if (const auto& seen = machine().gateway_seen()) {
    input.store_id = seen->store_id;
    input.sequence = seen->sequence;
  }
  GatewayProcess* gateway = PickGateway(parts_);
  SendTo(*gateway, [gateway, input] { gateway->Register(input); });
}

void BankProcess::Execute(const Process& from, const std::vector<BankCommand>& commands, Answered answered) {
  Arrive([this, &from, commands, answered = std::move(answered)] {
    const std::uint64_t message = ++last_message_;
    messages_.emplace(message, Message{&from, commands.size(), {}, answered});
    std::uint32_t slot = 0;
    for (const BankCommand& command : commands) {
      Tell(command.id, [&] { return "gets " + Describe(command) + " from " + from.name(); });
      Push(protocol::CommandInput{{message, slot++}, command, disk_.low()});
    }
  });
}

BankProcess::Sending BankProcess::Sends(Effects effects) {
  Sending sends;
  for (protocol::CommandAnswer& answer : effects.answers) TakeAnswer(std::move(answer), sends);
  for (const protocol::Inquiry& inquiry : effects.inquiries) {
    sends.push_back([this, inquiry] { Ask(inquiry); });
  }
  for (const protocol::ParticipantEvent& event : effects.events) {
    Tell(event.id, [&] { return "notes: " + event.what; });
    if (event.kind != protocol::ParticipantEvent::Kind::kProtocolViolation) continue;
    parts_.checkers.Report(kProtocol, event.id, name(), event.what);
  }
  return sends;
}

void BankProcess::TakeAnswer(protocol::CommandAnswer answer, Sending& sends) {
  parts_.checkers.BankAnswers(bank_, answer.reply);
  const auto found = messages_.find(answer.reply_to.call);
  if (found == messages_.end()) {
    return parts_.checkers.Report(kProtocol, answer.reply.id, name(), name() + " answers a command twice");
  }
  found->second.replies.push_back(std::move(answer.reply));
  if (found->second.replies.size() < found->second.size) return;
  sends.push_back([this, message = std::move(found->second)] {
    const SendResult sent =
        SendTo(*message.from, [replies = message.replies, answered = message.answered] { answered(replies); });
    for (const BankReply& reply : message.replies) {
      Tell(reply.id, [&] { return "answers " + message.from->name() + ": " + Describe(reply) + Describe(sent); });
    }
  });
  messages_.erase(found);
}

// Comes back exactly once to this run: with the decision or without one.
void BankProcess::Ask(const protocol::Inquiry& inquiry) {
  const auto open = std::make_shared<bool>(true);
  const auto ended = [this, id = inquiry.id, open](std::optional<Decision> decision, std::uint64_t epoch) {
    if (!std::exchange(*open, false)) return;
    Tell(id, [&] { return "hears: " + Describe(decision); });
    Push(protocol::InquiryAnswered{id, decision, epoch});
  };
  After(kCallTimeout, [ended] { ended(std::nullopt, 0); });
  GatewayProcess* gateway = PickGateway(parts_);
  auto answered = InThisRun([this, ended](std::optional<Decision> decision, std::uint64_t epoch) {
    Arrive([ended, decision, epoch] { ended(decision, epoch); });
  });
  const protocol::InquiryInput input{{}, name(), inquiry.id, inquiry.gateway_store_id, inquiry.gateway_sequence};
  const SendResult sent = SendTo(
      *gateway, [this, gateway, input, answered = std::move(answered)] { gateway->Inquire(*this, input, answered); });
  Tell(inquiry.id, [&] { return "asks " + gateway->name() + " for the decision" + Describe(sent); });
}

void BankProcess::TellOfRecords(const BankRecords& records) {
  for (const protocol::BankTransactionRecord& transaction : records.transactions) {
    Tell(transaction.id, [&] { return "records " + Describe(transaction); });
  }
}

}  // namespace strife::sim
