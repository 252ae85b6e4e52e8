#include "mutation/restored_backup.h"

#include "invariant/payment_invariants.h"
#include "protocol/test_support.h"

namespace strife::mutation {
namespace {

using namespace protocol;
using namespace protocol::testing;

// A gateway with a payment from bank a to bank b, which a has committed and b has only prepared.
struct Network {
  Network() {
    payer_bank.Open("payer", 1000);
    payee_bank.Open("payee", 0);
  }

  void DecideAndCommitAtPayersBank() {
    Deliver(gateway.Submit(order));
    gateway.Reply("a", CommandKind::kPrepare, order.id, CommandOutcome::kYes);
    DeliverAtPayersBank(gateway.Reply("b", CommandKind::kPrepare, order.id, CommandOutcome::kYes));
  }

  void DeliverAtPayersBank(const CoordinatorEffects& effects) {
    for (const AddressedCommand& sent : effects.commands) {
      if (sent.bank_id == "a") payer_bank.Do(sent.command);
    }
  }

  void Deliver(const CoordinatorEffects& effects) {
    for (const AddressedCommand& sent : effects.commands) {
      (sent.bank_id == "a" ? payer_bank : payee_bank).Do(sent.command);
    }
  }

  // Bank b asks about the payment and does as it is told.
  invariant::Violations AskAndCompare() {
    payee_bank.Restart();
    for (const Inquiry& inquiry : payee_bank.Step().inquiries) {
      const auto answers =
          gateway.Inquire("b", inquiry.id, inquiry.gateway_store_id, inquiry.gateway_sequence).inquiry_answers;
      if (answers.at(0).outcome != InquiryOutcome::kDecided) continue;
      payee_bank.Step({InquiryAnswered{inquiry.id, answers.at(0).decision, gateway.epoch}});
    }
    const std::array views{invariant::BankView{"a", &payer_bank.transaction_rows.at(order.id), payer_bank.entries},
                           invariant::BankView{"b", &payee_bank.transaction_rows.at(order.id), payee_bank.entries}};
    invariant::Violations found;
    invariant::CheckAgreement(order.id, views, found);
    return found;
  }

  const PaymentOrder order = Order(Id(1));
  TestGateway gateway;
  TestBank payer_bank{"a"};
  TestBank payee_bank{"b"};
};

}  // namespace

invariant::Violations AskAfterABankHasShownThatTheCopyIsOld() {
  Network network;
  TestGateway& gateway = network.gateway;
  network.Deliver(gateway.Submit(network.order));
  const auto payments = gateway.payments;
  const std::uint64_t sequence = gateway.sequence;
  network.DecideAndCommitAtPayersBank();
  for (std::uint8_t n = 10; n < 20; ++n) network.DeliverAtPayersBank(gateway.Submit(Order(Id(n))));
  gateway.payments = payments;
  gateway.sequence = sequence;
  gateway.Restart();
  gateway.Register("a", kStoreId, network.payer_bank.gateway_seen->sequence);
  return network.AskAndCompare();
}

invariant::Violations AskAboutAPaymentThatTheCopyHasLost() {
  Network network;
  TestGateway& gateway = network.gateway;
  network.DecideAndCommitAtPayersBank();
  gateway.payments.clear();
  gateway.sequence = 0;
  gateway.Restart();
  for (std::uint8_t n = 10; n < 20; ++n) gateway.Submit(Order(Id(n)));
  return network.AskAndCompare();
}

}  // namespace strife::mutation
