// Auditor: a model of what must be that knows nothing of two-phase commit. It hears what users asked for and what they
// were told, and says at the end what every account must hold.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/coordinator.h"
#include "sim/checkers.h"
#include "sim/workload.h"

namespace strife::sim {

struct AuditCounts {
  std::uint64_t payments = 0;  // ids with an outcome
  std::uint64_t completed = 0;
  std::uint64_t aborted = 0;
  std::uint64_t refused = 0;  // requests that nothing was recorded for
  std::uint64_t answers = 0;
};

class Auditor {
 public:
  // `opening` is what each account starts with.
  Auditor(Checkers& checkers, std::int64_t opening) : checkers_(checkers), opening_(opening) {}

  // From now on the payment exists: a client has promised its user to see to it.
  void Asked(const PlannedPayment& planned);
  // A client has been told something about what it asked for.
  void Told(const protocol::PaymentOrder& asked, const protocol::SubmitAnswer& answer);

  // After everything has ended: each id has one outcome. `balance` gives what is posted on an account of a bank.
  void Conclude(const Scenario::Cluster& cluster,
                const std::function<std::int64_t(std::size_t bank, const std::string& account)>& balance);

  const AuditCounts& counts() const { return counts_; }
  // What clients were told of each payment, by id.
  std::map<Uuid, protocol::PaymentState> Outcomes() const;

 private:
  struct Payment {
    std::vector<protocol::PaymentOrder> asked;    // the different orders that came with this id
    std::optional<protocol::PaymentOrder> owner;  // the one that has it
    std::optional<protocol::PaymentState> told;   // the final state
    bool told_decided = false;                    // that it will be committed
    bool told_unknown_bank = false;
    bool must_abort = true;
  };
  void Wrong(const Uuid& id, const std::string& what);
  void ToldState(Payment& payment, const protocol::PaymentOrder& asked, const protocol::SubmitAnswer& answer);
  void ToldReused(const Payment& payment, const protocol::PaymentOrder& asked, const protocol::SubmitAnswer& answer);

  Checkers& checkers_;
  const std::int64_t opening_;
  std::map<Uuid, Payment> payments_;
  AuditCounts counts_;
};

}  // namespace strife::sim
