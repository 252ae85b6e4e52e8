// The bank's side of what operators ask and decide.
#pragma once

#include <functional>
#include <string>

#include "protocol/participant.h"
#include "rpc/admin_api.h"

namespace strife::bank {

// Thread-safe.
class BankAdmin final : public rpc::BankAdminApi {
 public:
  // `submit` puts an input into the engine's inbox, or says false when that is full or closed.
  explicit BankAdmin(std::function<bool(protocol::ParticipantInput)> submit) : submit_(std::move(submit)) {}

  void ListInDoubt(rpc::Caller caller, std::size_t limit, rpc::Done<protocol::InDoubtAnswer> done) override;
  void Force(rpc::Caller caller, std::string transaction_id, protocol::Decision decision,
             rpc::Done<protocol::HeuristicRecord> done) override;
  void Acknowledge(rpc::Caller caller, std::string transaction_id, rpc::Done<protocol::HeuristicRecord> done) override;

 private:
  template <typename Answer, typename T, typename Make, typename Translate>
  void Ask(rpc::Done<T> done, Make make, Translate translate);

  const std::function<bool(protocol::ParticipantInput)> submit_;
};

}  // namespace strife::bank
