#include "verify/verify.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "invariant/ledger_invariants.h"
#include "invariant/payment_invariants.h"
#include "verify/bank_stream.h"
#include "verify/peekable.h"

namespace strife::verify {

using invariant::BankView;
using invariant::ReadOrder;
using invariant::Violations;
using protocol::BankTransactionState;
using protocol::PaymentRecord;

namespace {

constexpr std::uint64_t kPaymentsBetweenProgress = 4096;

using Views = std::span<const BankView>;

// The transaction at one of the payment's banks; a view without transaction when it is given and has none.
const BankView* ViewOf(Views banks, const std::string& bank_id) {
  const auto found = std::ranges::find(banks, std::string_view(bank_id), &BankView::bank_id);
  return found == banks.end() ? nullptr : &*found;
}

class Verifier {
 public:
  Verifier(GatewayReader& gateway, const Progress& progress) : gateway_(gateway), progress_(progress) {}

  Result<Report> Run(const std::map<std::string, BankReader*>& banks) {
    // The gateway's snapshot comes first.
    auto payments = Peekable<PaymentRecord>::Open(gateway_.ScanPayments(), [this](const Error& error) {
      report_.Add(Violations{{invariant::kWellFormed, {}, {}, {}, error.message}});
    });
    if (!payments) return std::unexpected(std::move(payments.error()));
    std::vector<std::unique_ptr<BankBooks>> books;
    for (const auto& [bank_id, reader] : banks) {
      auto opened = BankBooks::Open(bank_id, *reader);
      if (!opened) return std::unexpected(std::move(opened.error()));
      books.push_back(std::move(*opened));
    }
    if (auto noted = NoteRegisteredBanks(banks); !noted) return std::unexpected(std::move(noted.error()));
    for (auto& opened : books) banks_.push_back(std::make_unique<BankStream>(std::move(opened)));
    if (auto merged = Merge(*payments); !merged) return std::unexpected(std::move(merged.error()));
    for (const auto& bank : banks_) {
      if (auto walked = bank->Finish(); !walked) return std::unexpected(std::move(walked.error()));
      report_.Add(bank->books().findings());
      report_.banks.push_back(bank->books().summary());
      for (const auto& [id, record] : bank->books().heuristics()) {
        if (protocol::WasForced(record.state)) report_.forced.push_back({bank->bank_id(), record});
      }
    }
    report_.banks_not_checked.assign(not_checked_.begin(), not_checked_.end());
    CheckClearing();
    return std::move(report_);
  }

 private:
  Status NoteRegisteredBanks(const std::map<std::string, BankReader*>& banks) {
    auto registered = gateway_.Banks();
    if (!registered) return std::unexpected(std::move(registered.error()));
    for (const protocol::BankRecord& bank : *registered) {
      if (!banks.contains(bank.bank_id)) not_checked_.insert(bank.bank_id);
    }
    return {};
  }

  // Takes the smallest id that anybody has, everywhere at once, until nobody has any.
  Status Merge(Peekable<PaymentRecord>& payments) {
    std::vector<BankView> views(banks_.size());
    for (std::uint64_t checked = 1;; ++checked) {
      const PaymentRecord* payment = payments.Peek();
      std::optional<Uuid> id;
      if (payment != nullptr) id = payment->order.id;
      for (const auto& bank : banks_) {
        if (const auto* next = bank->Peek(); next != nullptr && (!id || next->id < *id)) id = next->id;
      }
      if (!id) return {};
      if (payment != nullptr && payment->order.id != *id) payment = nullptr;
      for (std::size_t i = 0; i < banks_.size(); ++i) {
        const auto* next = banks_[i]->Peek();
        const bool has = next != nullptr && next->id == *id;
        views[i] = {
            banks_[i]->bank_id(), has ? next : nullptr, {}, has ? banks_[i]->books().HeuristicOf(*id) : nullptr};
      }
      if (auto done = Check(*id, payment, views); !done) return done;
      for (std::size_t i = 0; i < banks_.size(); ++i) {
        if (views[i].transaction != nullptr) banks_[i]->Advance();
      }
      if (payment != nullptr) {
        if (auto advanced = payments.Advance(); !advanced) return advanced;
      }
      if (progress_ && checked % kPaymentsBetweenProgress == 0) progress_(checked);
    }
  }

  // `payment`: as the gateway's snapshot has it, or null.
  Status Check(const Uuid& id, const PaymentRecord* payment, Views banks) {
    if (payment != nullptr) {
      ++report_.payments[payment->state];
      NoteMissingBanks(*payment);
    }
    const bool prepared = std::ranges::any_of(banks, [](const BankView& bank) {
      return bank.transaction != nullptr && bank.transaction->state == BankTransactionState::kPrepared;
    });
    const bool open = prepared || (payment != nullptr && !IsFinal(payment->state));
    if (open) ++report_.open;

    Violations found;
    if (payment != nullptr) found = CheckPayment(*payment, banks, ReadOrder::kBankLater);
    if (payment == nullptr || (!found.empty() && !IsFinal(payment->state))) {
      auto again = CheckAgain(id, payment, banks);
      if (!again) return std::unexpected(std::move(again.error()));
      found = *std::move(again);
    }
    // Half-posted is how an open payment may be; a wrong one is left to show in the clearing accounts as well.
    const auto forced = [](const invariant::Violation& violation) {
      return violation.invariant == invariant::kHeuristic;
    };
    if (std::ranges::all_of(found, forced)) AddInFlight(banks);
    report_.Add(std::move(found));
    return {};
  }

  // Everything that must hold between one record of the gateway and the banks.
  Violations CheckPayment(const PaymentRecord& payment, Views banks, ReadOrder order) const {
    Violations found;
    for (const BankView& bank : banks) {
      if (invariant::Touches(payment.order, bank.bank_id) && invariant::ForcedOtherwise(payment, bank)) {
        invariant::CheckHeuristic(payment, bank, found);
      } else if (invariant::Touches(payment.order, bank.bank_id)) {
        const std::size_t before = found.size();
        invariant::CheckToldTheTruth(payment, bank, order, found);
        // What was told covers what was decided: one wrong, one violation.
        if (found.size() == before) invariant::CheckValidity(payment, bank, order, found);
      }
      invariant::CheckTerms(payment, bank, found);
    }
    const auto forced = [&](const BankView& bank) { return invariant::ForcedOtherwise(payment, bank); };
    if (std::ranges::none_of(banks, forced)) {
      invariant::CheckAgreement(payment.order.id, banks, found);
    } else {  // among those who have done what the gateway told them
      std::vector<BankView> told;
      std::ranges::remove_copy_if(banks, std::back_inserter(told), forced);
      invariant::CheckAgreement(payment.order.id, told, found);
    }
    const bool all_given = ViewOf(banks, payment.order.from.bank_id) && ViewOf(banks, payment.order.to.bank_id);
    if (all_given && order == ReadOrder::kBankLater) invariant::CheckRefusal(payment, banks, found);
    return found;
  }

  // Something does not fit, and the gateway may simply have been read too early.
  Result<Violations> CheckAgain(const Uuid& id, const PaymentRecord* before, Views banks) {
    auto now = gateway_.FindPayment(id);
    if (!now && now.error().code != ErrorCode::kMalformed) return std::unexpected(std::move(now.error()));
    Violations found;
    if (!now || !*now) {  // a malformed one has been reported by the scan
      for (const BankView& bank : banks) {
        if (bank.transaction == nullptr) continue;
        found.push_back({invariant::kKnown,
                         id,
                         std::string(bank.bank_id),
                         {},
                         "transaction " + id.ToString() + " is at bank " + std::string(bank.bank_id) +
                             " and the gateway " + (now ? "does not know it" : "has no record of it that makes sense"),
                         "a payment at the gateway",
                         now ? "NONE" : "malformed"});
      }
      invariant::CheckAgreement(id, banks, found);
      return found;
    }
    if (before != nullptr && before->state == (*now)->state) return CheckPayment(*before, banks, ReadOrder::kBankLater);
    ++report_.moving;
    NoteMissingBanks(**now);
    if (before != nullptr) invariant::CheckStability(*before, **now, found);
    Violations later = CheckPayment(**now, banks, ReadOrder::kGatewayLater);
    std::ranges::move(later, std::back_inserter(found));
    return found;
  }

  void NoteMissingBanks(const PaymentRecord& payment) {
    if (!IsDecidedCommit(payment.state)) return;  // an aborted payment may name a bank that never was
    for (const std::string* bank_id : {&payment.order.from.bank_id, &payment.order.to.bank_id}) {
      const bool given = std::ranges::any_of(banks_, [&](const auto& bank) { return bank->bank_id() == *bank_id; });
      if (!given) not_checked_.insert(*bank_id);
    }
  }

  // What the payment has moved on the clearing accounts: nothing when it is posted everywhere or nowhere.
  void AddInFlight(Views banks) {
    for (const BankView& bank : banks) {
      const auto* transaction = bank.transaction;
      if (transaction == nullptr || transaction->state != BankTransactionState::kCommitted) continue;
      invariant::WideAmount& in_flight = in_flight_[transaction->amount.currency];
      if (!transaction->debit_account.empty()) in_flight += transaction->amount.minor_units;
      if (!transaction->credit_account.empty()) in_flight -= transaction->amount.minor_units;
    }
  }

  void CheckClearing() {
    report_.clearing_checked = not_checked_.empty();
    if (!report_.clearing_checked) return;
    std::map<Currency, invariant::WideAmount> sums;
    for (const auto& bank : banks_) {
      for (const auto& [currency, posted] : bank->books().clearing()) sums[currency] += posted;
    }
    Violations found;
    for (const auto& [currency, sum] : sums) invariant::CheckClearing(currency, sum, in_flight_[currency], found);
    report_.Add(std::move(found));
  }

  GatewayReader& gateway_;
  const Progress& progress_;
  std::vector<std::unique_ptr<BankStream>> banks_;
  std::set<std::string> not_checked_;
  std::map<Currency, invariant::WideAmount> in_flight_;  // by which the clearing accounts may differ from zero
  Report report_;
};

}  // namespace

Result<Report> Verify(GatewayReader& gateway, const std::map<std::string, BankReader*>& banks,
                      const Progress& progress) {
  return Verifier(gateway, progress).Run(banks);
}

}  // namespace strife::verify
