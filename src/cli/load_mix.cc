#include "cli/load_mix.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace strife::cli {

using protocol::AccountRef;
using protocol::PaymentOrder;

namespace {

// Cheaper than security::NewUuidV7, and nobody is to be kept from guessing it.
Uuid NewId(LoadMix::Random& random, std::int64_t unix_ms) {
  const std::array<std::uint64_t, 2> drawn = {random(), random()};
  std::array<std::uint8_t, 10> bytes;
  std::memcpy(bytes.data(), drawn.data(), bytes.size());
  return Uuid::MakeV7(unix_ms, bytes);
}

}  // namespace

Result<LoadMix> LoadMix::Create(const std::vector<std::vector<AccountRef>>& accounts, const MixOptions& options) {
  LoadMix mix;
  mix.options_ = options;
  for (const auto& of_user : accounts) {
    for (const AccountRef& account : of_user) mix.banks_.push_back(account.bank_id);
  }
  std::ranges::sort(mix.banks_, [](const auto& a, const auto& b) {
    return std::pair(a.size(), a) < std::pair(b.size(), b);  // bank2 before bank10
  });
  mix.banks_.erase(std::ranges::unique(mix.banks_).begin(), mix.banks_.end());
  if (options.banks > 0 && static_cast<std::size_t>(options.banks) < mix.banks_.size()) {
    mix.banks_.resize(static_cast<std::size_t>(options.banks));
  }
  for (std::size_t user = 0; user < accounts.size(); ++user) {
    for (const AccountRef& account : accounts[user]) {
      const auto bank = std::ranges::find(mix.banks_, account.bank_id);
      if (bank == mix.banks_.end()) continue;
      mix.parties_.push_back({user, static_cast<std::size_t>(bank - mix.banks_.begin()), account});
    }
  }
  if (options.one_bank < 1 && !mix.Possible(false)) {
    return Fail(ErrorCode::kInvalidInput,
                "payments across banks need two users and two banks at least; make a larger network with strife init");
  }
  if (options.one_bank > 0 && !mix.Possible(true)) {
    return Fail(ErrorCode::kInvalidInput,
                "payments within a bank need two users with accounts at the same one; make a larger network with "
                "strife init");
  }
  return mix;
}

bool LoadMix::Possible(bool within) const {
  // With a hot account, all that is paid to it must be possible, too.
  if (options_.hot > 0) {
    return std::ranges::any_of(parties_, [&](const Party& payer) { return MayPay(payer, parties_.front(), within); });
  }
  return std::ranges::any_of(parties_, [&](const Party& payer) {
    return std::ranges::any_of(parties_, [&](const Party& payee) { return MayPay(payer, payee, within); });
  });
}

bool LoadMix::Chance(Random& random, double share) {
  return share > 0 && std::uniform_real_distribution<double>(0, 1)(random) < share;
}

const LoadMix::Party& LoadMix::AnyParty(Random& random) const {
  return parties_[std::uniform_int_distribution<std::size_t>(0, parties_.size() - 1)(random)];
}

std::pair<std::size_t, const AccountRef*> LoadMix::AnyAccount(Random& random) const {
  const Party& party = AnyParty(random);
  return {party.user, &party.account};
}

void LoadMix::FillPayee(Random& random, const Party& payer, bool within, AccountRef* payee) const {
  if (options_.other_payees > 0) {
    std::size_t bank = payer.bank;
    while ((bank == payer.bank) != within) {
      bank = std::uniform_int_distribution<std::size_t>(0, banks_.size() - 1)(random);
    }
    payee->bank_id = banks_[bank];
    payee->account_id =
        "account-" + std::to_string(std::uniform_int_distribution<int>(0, options_.other_payees - 1)(random));
    return;
  }
  const Party* found = &AnyParty(random);
  while (!MayPay(payer, *found, within)) found = &AnyParty(random);
  *payee = found->account;
}

std::size_t LoadMix::NextPayments(Random& random, std::int64_t unix_ms, std::vector<PaymentOrder>* orders) const {
  const bool within = Chance(random, options_.one_bank);
  bool hot = Chance(random, options_.hot);
  const Party& hot_one = parties_.front();
  const auto can_pay = [&](const Party& payer) {
    if (hot) return MayPay(payer, hot_one, within);
    return std::ranges::any_of(parties_, [&](const Party& payee) { return MayPay(payer, payee, within); });
  };
  const Party* payer = &AnyParty(random);
  while (!can_pay(*payer)) payer = &AnyParty(random);
  orders->resize(static_cast<std::size_t>(options_.batch));
  for (PaymentOrder& order : *orders) {
    order.id = NewId(random, unix_ms);
    order.from = payer->account;
    if (hot && MayPay(*payer, hot_one, within)) {
      order.to = hot_one.account;
    } else {
      FillPayee(random, *payer, within, &order.to);
    }
    order.amount = {std::uniform_int_distribution<std::int64_t>(1, 100)(random), options_.currency};
    hot = Chance(random, options_.hot);
  }
  return payer->user;
}

}  // namespace strife::cli
