// What comes to a bank over the wire: from protobuf bytes through its state machine into its books, which must be right
// afterwards, whatever a gateway (or somebody with its key) says; and a bank's answers, as the gateway reads them. The
// first byte says which message.
#include <array>
#include <map>
#include <optional>

#include "fuzz.h"
#include "invariant/ledger_invariants.h"
#include "protocol/legs.h"
#include "protocol/participant.h"
#include "records.h"
#include "rpc/admin_convert.h"
#include "rpc/convert.h"
#include "runtime/engine.h"
#include "storage/memory/memory_bank_store.h"

namespace strife {
namespace {

using protocol::BankCommand;
using protocol::CommandKind;

constexpr std::string_view kBankId = "bank1";
const Uuid kId = Uuid::Parse("0190163d-8694-739b-aea5-966c26f8ad91").value();

template <typename Message>
bool Parse(std::string_view bytes, Message& message) {
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

// A bank with two customers, its engine and its clock.
class Bank {
 public:
  Bank() {
    STRIFE_ASSERT(store_->Open(std::string(kBankId)).has_value());
    for (const char* account : {"user1", "user2"}) {
      const Uuid id{{static_cast<std::uint8_t>(++opened_)}};
      Run({protocol::OpenAccountInput{id, account, Money{100'000, Currency::Parse("USD").value()}}});
    }
  }

  void Run(std::vector<protocol::ParticipantInput> inputs) {
    now_.monotonic += std::chrono::seconds(1);
    now_.wall += std::chrono::seconds(1);
    const auto effects = engine_.Cycle(now_, std::move(inputs));
    STRIFE_ASSERT(effects.has_value());  // else one message stops the bank
    for (const auto& record : effects->records.transactions) fuzz::CheckBankTransaction(record);
    for (const auto& event : effects->events) fuzz::CheckMessage(event.what);
    for (const auto& answer : effects->answers) {
      STRIFE_ASSERT(IsPrintableUtf8(answer.reply.message) && IsPrintableUtf8(answer.reply.reason_code));
    }
  }

  void CheckBooks() {
    invariant::Violations violations;
    disk_->Access([&](const MemoryBankContents& books) { Check(books, violations); });
    STRIFE_ASSERT(violations.empty());
  }

 private:
  static void Check(const MemoryBankContents& books, invariant::Violations& violations) {
    std::map<std::string, invariant::AccountSums> sums;
    invariant::WideAmount total = 0;
    for (const auto& [key, entry] : books.entries) {
      sums[entry.account_id].posted += entry.amount_minor_units;
      total += entry.amount_minor_units;
    }
    STRIFE_ASSERT(total == 0);
    for (const auto& [id, record] : books.transactions) {
      if (record.state != protocol::BankTransactionState::kPrepared) continue;
      for (const auto& transfer : protocol::TransfersOf(record)) {
        sums[transfer.from].held += record.amount.minor_units;
        sums[transfer.to].incoming += record.amount.minor_units;
      }
    }
    for (const auto& [id, account] : books.accounts) {
      invariant::CheckBalance(kBankId, account, sums[id], violations);
      invariant::CheckHolds(kBankId, account, sums[id], violations);
      invariant::CheckNoOverdraft(kBankId, account, violations);
    }
  }

  std::shared_ptr<MemoryBankDisk> disk_ = std::make_shared<MemoryBankDisk>();
  std::unique_ptr<BankStore> store_ = OpenMemoryBankStore(disk_);
  protocol::Participant participant_{protocol::ParticipantOptions{.bank_id = std::string(kBankId)}};
  runtime::Engine<protocol::Participant, BankStore> engine_{participant_, *store_};
  Now now_{MonotonicTime(std::chrono::hours(1)), WallTime(std::chrono::seconds(1'800'000'000))};
  int opened_ = 0;
};

// As the bank's server reads the message: one command that cannot be read spoils it all.
std::optional<std::vector<protocol::ParticipantInput>> ReadBatch(const v1::ExecuteBatchRequest& request) {
  std::vector<protocol::ParticipantInput> inputs;
  for (const auto& one : request.commands()) {
    auto command = rpc::FromProto(one);
    if (!command) return std::nullopt;
    v1::ExecuteBatchRequest::Command copy;
    rpc::ToProto(*command, copy);
    STRIFE_ASSERT(rpc::FromProto(copy) == command);
    inputs.push_back(protocol::CommandInput{.reply_to = {1, 0}, .command = *std::move(command)});
  }
  return inputs;
}

// Several messages one after the other, each with its length (two bytes) in front.
void TryCommands(std::string_view bytes) {
  fuzz::Input in(bytes);
  Bank bank;
  while (!in.empty()) {
    const std::size_t size = in.Byte() + std::size_t{256} * in.Byte();
    v1::ExecuteBatchRequest request;
    if (!Parse(in.Take(size), request)) continue;
    if (auto inputs = ReadBatch(request)) bank.Run(*std::move(inputs));
  }
  bank.CheckBooks();
}

void TryReply(std::string_view bytes) {
  v1::ExecuteBatchResponse response;
  if (!Parse(bytes, response)) return;
  for (const auto& result : response.results()) {
    for (const CommandKind kind : {CommandKind::kPrepare, CommandKind::kCommit, CommandKind::kAbort}) {
      BankCommand command;
      command.kind = kind;
      command.id = kId;
      const auto reply = rpc::FromProto(result, command);
      if (!reply) continue;
      STRIFE_ASSERT(reply->id == kId && reply->kind == kind);
      STRIFE_ASSERT(reply->message.size() <= limits::kMaxReasonMessageBytes && IsPrintableUtf8(reply->message));
      STRIFE_ASSERT(reply->reason_code.size() <= limits::kMaxReasonCodeBytes && IsPrintableUtf8(reply->reason_code));
    }
  }
}

// What operators' tools read from a server can be sent on as it was.
template <typename Response>
void TryAdminReply(std::string_view bytes) {
  Response response;
  if (!Parse(bytes, response)) return;
  const auto answer = rpc::FromProto(response);
  if (!answer) return;
  Response copy;
  rpc::ToProto(*answer, copy);
  STRIFE_ASSERT(rpc::FromProto(copy).has_value());
}

FUZZ_TARGET(bank_messages) {
  fuzz::Input in(input);
  constexpr std::array kTries = {TryCommands, TryReply, TryAdminReply<v1::ListInDoubtPaymentsResponse>,
                                 TryAdminReply<v1::ListInDoubtTransactionsResponse>};
  kTries.at(in.Index(kTries.size()))(in.Rest());
}

}  // namespace
}  // namespace strife
