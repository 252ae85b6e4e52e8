#include "sim/workload.h"

namespace strife::sim {
namespace {

using protocol::AccountRef;
using protocol::PaymentOrder;

class Maker {
 public:
  Maker(const Scenario& scenario, Random& random) : scenario_(scenario), random_(random) {}

  std::vector<PlannedPayment> Make() {
    for (int n = 0; n < scenario_.workload.payments; ++n) {
      const PlannedPayment planned = MakePayment();
      plan_.push_back(planned);
      MakeEchoes(planned);
    }
    return std::move(plan_);
  }

 private:
  std::size_t Draw(int below) { return static_cast<std::size_t>(random_.Draw(static_cast<std::uint64_t>(below))); }
  AccountRef DrawAccount(std::size_t bank) {
    return {BankName(bank), AccountName(Draw(scenario_.cluster.accounts_per_bank))};
  }

  PlannedPayment MakePayment() {
    const Scenario::Workload& workload = scenario_.workload;
    PlannedPayment planned;
    planned.at = random_.Between(Duration(0), workload.arrive_within);
    planned.client = Draw(scenario_.cluster.clients);
    PaymentOrder& order = planned.order;
    order.id = random_.MakeUuid();
    order.payer = UserName(planned.client);
    const std::size_t bank = Draw(scenario_.cluster.banks);
    const bool same_bank = scenario_.cluster.banks == 1 || random_.Chance(workload.same_bank);
    order.from = DrawAccount(bank);
    order.to = DrawAccount(same_bank ? bank : (bank + 1 + Draw(scenario_.cluster.banks - 1)) % Banks());
    if (order.to == order.from) order.to.account_id = NextAccount(order.from.account_id);
    order.amount = {random_.Between(1, workload.largest_minor_units), *Currency::Parse("USD")};
    SpoilSome(planned);
    if (random_.Chance(workload.expire)) planned.expires_after = random_.Between(milliseconds(100), seconds(20));
    return planned;
  }

  std::size_t Banks() const { return static_cast<std::size_t>(scenario_.cluster.banks); }
  // Another account of the same bank; there are two at least.
  std::string NextAccount(const std::string& account) {
    return account == AccountName(0) ? AccountName(1) : AccountName(0);
  }

  // Some payments are such that a bank must refuse them.
  void SpoilSome(PlannedPayment& planned) {
    const Scenario::Workload& workload = scenario_.workload;
    PaymentOrder& order = planned.order;
    planned.must_abort = true;
    if (random_.Chance(workload.too_much)) {
      // More than there is in the whole network.
      const std::int64_t accounts = std::int64_t{scenario_.cluster.banks} * scenario_.cluster.accounts_per_bank;
      order.amount.minor_units += accounts * scenario_.cluster.opening_minor_units;
    } else if (random_.Chance(workload.unknown_account)) {
      (random_.Chance(500) ? order.from : order.to).account_id = "nobody";
    } else if (random_.Chance(workload.unknown_bank)) {
      order.to.bank_id = kUnknownBank;
    } else {
      planned.must_abort = false;
    }
  }

  // The same id comes again.
  void MakeEchoes(const PlannedPayment& planned) {
    const Scenario::Workload& workload = scenario_.workload;
    const auto echo = [&] {
      PlannedPayment again = planned;
      // Another device; an outbox takes an id once.
      const int outboxes = scenario_.cluster.outboxes;
      if (outboxes > 0) again.client = static_cast<std::size_t>(outboxes) + Draw(scenario_.cluster.clients - outboxes);
      again.at += random_.Between(Duration(0), seconds(8));
      return again;
    };
    if (random_.Chance(workload.repeated)) plan_.push_back(echo());
    if (random_.Chance(workload.other_payload)) {
      PlannedPayment other = echo();
      other.order.amount.minor_units += 1;
      plan_.push_back(other);
    }
    if (random_.Chance(workload.other_user)) {
      PlannedPayment other = echo();
      const std::size_t user = (planned.client + 1) % static_cast<std::size_t>(scenario_.cluster.clients);
      if (scenario_.cluster.outboxes == 0) other.client = user;
      other.order.payer = UserName(user);
      plan_.push_back(other);
    }
  }

  const Scenario& scenario_;
  Random& random_;
  std::vector<PlannedPayment> plan_;
};

}  // namespace

std::string BankName(std::size_t bank) { return "bank" + std::to_string(bank + 1); }
std::string AccountName(std::size_t account) { return "account" + std::to_string(account + 1); }
std::string UserName(std::size_t client) { return "user" + std::to_string(client + 1); }

std::vector<PlannedPayment> MakeWorkload(const Scenario& scenario, Random& random) {
  return Maker(scenario, random).Make();
}

}  // namespace strife::sim
