// PaymentClient: what users enter their payments into.
#pragma once

#include <vector>

#include "base/uuid.h"
#include "sim/workload.h"

namespace strife::sim {

class PaymentClient {
 public:
  virtual ~PaymentClient() = default;

  // The user enters a payment, and again until the client has kept it.
  virtual void Enter(const PlannedPayment& planned) = 0;
  // Everything that was entered has a final answer, and the user has heard it.
  virtual bool Finished() const = 0;
  // Ids of what was kept and has none yet.
  virtual std::vector<Uuid> Unfinished() const = 0;
};

}  // namespace strife::sim
