// A client of somebody else: keeps what its user has entered, and asks with the same id until the answer is final,
// whatever happens.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/coordinator.h"
#include "sim/payment_client.h"
#include "sim/process.h"
#include "sim/workload.h"

namespace strife::sim {

class ClientProcess final : public Process, public PaymentClient {
 public:
  ClientProcess(Parts& parts, std::size_t number, std::string name) : Process(parts, number, std::move(name)) {}

  void Enter(const PlannedPayment& planned) override;
  bool Finished() const override { return open_ == 0; }
  std::vector<Uuid> Unfinished() const override;

 private:
  // What is on the client's disk.
  struct Kept {
    protocol::PaymentOrder order;
    int final_answers_left = 2;  // after one it asks once more, which must tell the same
  };

  void OnStart() override;
  void OnCrash() override {}
  // Passes the points of a commit; false: the process died. `kept` happens when it becomes durable.
  template <typename Change>
  bool Commit(const Change& change);
  void Ask(std::size_t n);
  void Told(std::size_t n, const protocol::SubmitAnswer& answer);

  std::vector<Kept> kept_;
  std::size_t open_ = 0;  // kept without final answer, or entered and not kept yet
};

}  // namespace strife::sim
