#include "protocol/bank_directory.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/limits.h"

namespace strife::protocol {

void BankDirectory::Load(std::vector<BankRecord> records) {
  for (BankRecord& record : records) {
    const std::string id = record.bank_id;
    if (record.ahead > 0) ahead_.emplace(id, record.ahead);
    banks_[id].record = std::move(record);
  }
}

const BankRecord* BankDirectory::Registered(const std::string& bank_id) const {
  const auto bank = banks_.find(bank_id);
  return bank == banks_.end() || bank->second.record.bank_id.empty() ? nullptr : &bank->second.record;
}

bool BankDirectory::Keeps(const std::string& bank_id, Currency currency) const {
  const auto bank = banks_.find(bank_id);
  if (bank == banks_.end() || bank->second.record.currencies.empty()) return true;
  return std::ranges::find(bank->second.record.currencies, currency.code()) != bank->second.record.currencies.end();
}

bool BankDirectory::Knows(const BankRecord& record) const {
  const auto bank = banks_.find(record.bank_id);
  if (bank == banks_.end()) return false;
  BankRecord known = record;
  known.registered_at = bank->second.record.registered_at;
  known.ahead = bank->second.record.ahead;
  return known == bank->second.record;
}

BankDirectory::Registration BankDirectory::Register(BankRecord& record, WallTime now) {
  const bool is_new = Registered(record.bank_id) == nullptr;
  if (is_new && banks_.size() >= limits::kMaxBanks) return Registration::kTooManyBanks;
  Bank& bank = banks_[record.bank_id];
  record.registered_at = is_new ? now : bank.record.registered_at;
  const auto ahead = ahead_.find(record.bank_id);
  record.ahead = ahead == ahead_.end() ? 0 : ahead->second;
  bank.failures = 0;
  if (!is_new && bank.record == record) return Registration::kUnchanged;
  bank.record = record;
  return is_new ? Registration::kNew : Registration::kChanged;
}

bool BankDirectory::NoteAhead(const std::string& bank_id, std::uint64_t sequence) {
  if (!ahead_.emplace(bank_id, sequence).second) return false;
  if (Registered(bank_id) != nullptr) banks_.at(bank_id).record.ahead = sequence;
  return true;
}

std::uint64_t BankDirectory::EndAhead(const std::string& bank_id) {
  const auto ended = ahead_.extract(bank_id);
  if (ended.empty()) return 0;
  if (Registered(bank_id) != nullptr) banks_.at(bank_id).record.ahead = 0;
  return ended.mapped();
}

std::size_t BankDirectory::open_count(const std::string& bank_id) const {
  const auto bank = banks_.find(bank_id);
  return bank == banks_.end() ? 0 : bank->second.open;
}

void BankDirectory::Closed(const std::string& bank_id) {
  Bank& bank = banks_.at(bank_id);
  STRIFE_ASSERT(bank.open > 0);
  --bank.open;
}

void BankDirectory::Answered(const std::string& bank_id) {
  if (const auto bank = banks_.find(bank_id); bank != banks_.end()) bank->second.failures = 0;
}

void BankDirectory::DidNotAnswer(const std::string& bank_id, MonotonicTime now) {
  const auto bank = banks_.find(bank_id);
  if (bank == banks_.end()) return;
  ++bank->second.failures;
  bank->second.next_probe = now + probe_interval_;
}

bool BankDirectory::IsSilent(const std::string& bank_id) const {
  const auto bank = banks_.find(bank_id);
  return bank != banks_.end() && bank->second.failures > 0;
}

bool BankDirectory::IsOffline(const std::string& bank_id) const {
  const auto bank = banks_.find(bank_id);
  return bank != banks_.end() && bank->second.failures >= failures_until_offline_;
}

bool BankDirectory::MayAsk(const std::string& bank_id, MonotonicTime now) {
  if (!IsOffline(bank_id)) return true;
  Bank& bank = banks_.at(bank_id);
  if (now < bank.next_probe) return false;
  bank.next_probe = now + probe_interval_;
  return true;
}

}  // namespace strife::protocol
