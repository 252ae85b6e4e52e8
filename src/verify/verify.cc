#include "verify/verify.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "invariant/ledger_invariants.h"
#include "invariant/payment_invariants.h"
#include "verify/bank_books.h"
#include "verify/peekable.h"

namespace strife::verify {

using invariant::BankView;
using invariant::ReadOrder;
using invariant::Violations;
using protocol::BankTransactionState;
using protocol::PaymentRecord;

void Report::Add(Violations found) {
  for (invariant::Violation& violation : found) {
    ++violation_count;
    ++violations_by_invariant[violation.invariant];
    if (violations.size() < kMaxListedViolations) violations.push_back(std::move(violation));
  }
}

namespace {

bool TouchesAny(const PaymentRecord& payment, const BankView& bank) {
  return invariant::Touches(payment.order, bank.bank_id);
}

// Everything that must hold between one record of the gateway and the banks.
Violations CheckPayment(const PaymentRecord& payment, const std::vector<BankView>& banks, ReadOrder order) {
  Violations found;
  for (const BankView& bank : banks) {
    if (TouchesAny(payment, bank)) {
      const std::size_t before = found.size();
      invariant::CheckToldTheTruth(payment, bank, order, found);
      // What was told covers what was decided: one wrong, one violation.
      if (found.size() == before) invariant::CheckValidity(payment, bank, order, found);
    }
    invariant::CheckTerms(payment, bank, found);
  }
  invariant::CheckAgreement(payment.order.id, banks, found);
  return found;
}

class Verifier {
 public:
  explicit Verifier(GatewayReader& gateway) : gateway_(gateway) {}

  Result<Report> Run(const std::map<std::string, BankReader*>& banks) {
    // The gateway's snapshot comes first.
    auto payments = Peekable<PaymentRecord>::Open(gateway_.ScanPayments());
    if (!payments) return std::unexpected(std::move(payments.error()));
    for (const auto& [bank_id, reader] : banks) {
      auto books = BankBooks::Open(bank_id, *reader);
      if (!books) return std::unexpected(std::move(books.error()));
      banks_.push_back(std::move(*books));
    }
    if (auto noted = NoteRegisteredBanks(); !noted) return std::unexpected(std::move(noted.error()));
    if (auto merged = Merge(*payments); !merged) return std::unexpected(std::move(merged.error()));
    for (const auto& books : banks_) {
      if (auto finished = books->Finish(report_); !finished) return std::unexpected(std::move(finished.error()));
    }
    report_.banks_not_checked.assign(not_checked_.begin(), not_checked_.end());
    CheckClearing();
    return std::move(report_);
  }

 private:
  bool Given(const std::string& bank_id) const {
    return std::ranges::any_of(banks_, [&](const auto& books) { return books->bank_id() == bank_id; });
  }

  Status NoteRegisteredBanks() {
    auto registered = gateway_.Banks();
    if (!registered) return std::unexpected(std::move(registered.error()));
    for (const protocol::BankRecord& bank : *registered) {
      if (!Given(bank.bank_id)) not_checked_.insert(bank.bank_id);
    }
    return {};
  }

  // Takes the smallest id that anybody has, everywhere at once, until nobody has any.
  Status Merge(Peekable<PaymentRecord>& payments) {
    for (;;) {
      std::optional<Uuid> id;
      if (payments.Peek() != nullptr) id = payments.Peek()->order.id;
      for (const auto& books : banks_) {
        if (const auto next = books->NextId(); next && (!id || *next < *id)) id = next;
      }
      if (!id) return {};
      std::optional<PaymentRecord> payment;
      if (payments.Peek() != nullptr && payments.Peek()->order.id == *id) {
        auto taken = payments.Take();
        if (!taken) return std::unexpected(std::move(taken.error()));
        payment = std::move(*taken);
      }
      std::vector<BankView> views;
      for (const auto& books : banks_) {
        if (auto read = books->Read(*id, report_); !read) return read;
        views.push_back(books->View());
      }
      if (auto checked = Check(*id, payment, views); !checked) return checked;
    }
  }

  Status Check(const Uuid& id, const std::optional<PaymentRecord>& payment, const std::vector<BankView>& views) {
    if (payment) {
      ++report_.payments[payment->state];
      NoteMissingBanks(*payment);
    }
    const bool at_a_bank = std::ranges::any_of(views, [](const BankView& bank) { return bank.Payment() != nullptr; });
    if (!payment && !at_a_bank) return {};  // a bank's own transaction
    const bool prepared = std::ranges::any_of(views, [](const BankView& bank) {
      return bank.Payment() != nullptr && bank.Payment()->state == BankTransactionState::kPrepared;
    });
    if (prepared || (payment && !IsFinal(payment->state))) ++report_.open;

    Violations found;
    if (payment) found = CheckPayment(*payment, views, ReadOrder::kBankLater);
    if (payment && (found.empty() || IsFinal(payment->state))) {
      report_.Add(std::move(found));
      return {};
    }
    return CheckAgain(id, payment, views);
  }

  // Something does not fit, and the gateway may simply have been read too early.
  Status CheckAgain(const Uuid& id, const std::optional<PaymentRecord>& before, const std::vector<BankView>& views) {
    auto now = gateway_.FindPayment(id);
    if (!now) return std::unexpected(std::move(now.error()));
    Violations found;
    if (!*now) {
      for (const BankView& bank : views) {
        if (bank.Payment() == nullptr) continue;
        found.push_back({invariant::kKnown,
                         id,
                         std::string(bank.bank_id),
                         {},
                         "transaction " + id.ToString() + " is at bank " + std::string(bank.bank_id) +
                             " and the gateway does not know it"});
      }
      invariant::CheckAgreement(id, views, found);
    } else if (before && before->state == (*now)->state) {
      found = CheckPayment(*before, views, ReadOrder::kBankLater);
    } else {
      ++report_.moving;
      NoteMissingBanks(**now);
      if (before) invariant::CheckStability(*before, **now, found);
      Violations later = CheckPayment(**now, views, ReadOrder::kGatewayLater);
      std::ranges::move(later, std::back_inserter(found));
    }
    report_.Add(std::move(found));
    return {};
  }

  void NoteMissingBanks(const PaymentRecord& payment) {
    if (!IsDecidedCommit(payment.state)) return;  // an aborted payment may name a bank that never was
    for (const std::string& bank_id : {payment.order.from.bank_id, payment.order.to.bank_id}) {
      if (!Given(bank_id)) not_checked_.insert(bank_id);
    }
  }

  void CheckClearing() {
    report_.clearing_checked = report_.open == 0 && report_.moving == 0 && not_checked_.empty();
    if (!report_.clearing_checked) return;
    std::map<Currency, invariant::WideAmount> sums;
    for (const auto& books : banks_) {
      for (const auto& [currency, posted] : books->clearing()) sums[currency] += posted;
    }
    Violations found;
    for (const auto& [currency, sum] : sums) invariant::CheckClearing(currency, sum, found);
    report_.Add(std::move(found));
  }

  GatewayReader& gateway_;
  std::vector<std::unique_ptr<BankBooks>> banks_;
  std::set<std::string> not_checked_;
  Report report_;
};

}  // namespace

Result<Report> Verify(GatewayReader& gateway, const std::map<std::string, BankReader*>& banks) {
  return Verifier(gateway).Run(banks);
}

}  // namespace strife::verify
