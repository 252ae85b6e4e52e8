// A bank: the production participant and engine on a memory store.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/participant.h"
#include "sim/node.h"
#include "storage/memory/memory_bank_store.h"

namespace strife::sim {

class BankProcess final : public Node<protocol::Participant, BankStore> {
 public:
  using Answered = std::function<void(const std::vector<protocol::BankReply>&)>;

  // `bank` counts the banks from 0. The process's name is the bank's id.
  BankProcess(Parts& parts, std::size_t number, std::size_t bank, Disk& disk, std::shared_ptr<MemoryBankDisk> store);

  // One message of a gateway; all its commands are answered at once.
  void Execute(const Process& from, const std::vector<protocol::BankCommand>& commands, Answered answered);
  // Registers at a gateway, now and again and again.
  void Heartbeat();

 private:
  struct Message {
    const Process* from;
    std::size_t size;
    std::vector<protocol::BankReply> replies;
    Answered answered;
  };

  Result<Effects> Boot() override;
  Sending Sends(Effects effects) override;
  void Forget() override { messages_.clear(); }

  void TakeAnswer(protocol::CommandAnswer answer, Sending& sends);
  void Ask(const protocol::Inquiry& inquiry);
  void TellOfRecords(const BankRecords& records);

  const std::size_t bank_;
  std::shared_ptr<MemoryBankDisk> memory_;
  std::uint64_t last_message_ = 0;
  std::map<std::uint64_t, Message> messages_;  // not answered yet
};

}  // namespace strife::sim
