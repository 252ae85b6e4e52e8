// The banks the gateway knows: who has registered, how much each is busy with, and whether it answers.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "protocol/types.h"

namespace strife::protocol {

class BankDirectory {
 public:
  // A bank is offline after `failures_until_offline` deliveries in a row that got no answer.
  BankDirectory(std::uint32_t failures_until_offline, Duration probe_interval)
      : failures_until_offline_(failures_until_offline), probe_interval_(probe_interval) {}

  void Load(std::vector<BankRecord> records);
  // Whether the bank may have accounts in the currency: it has registered so, or has not said which it keeps.
  bool Keeps(const std::string& bank_id, Currency currency) const;

  // The record of a bank that has registered; else null. Valid until the next call that is not const.
  const BankRecord* Registered(const std::string& bank_id) const;
  // Whether the bank is registered just so; the time and `ahead` do not count.
  bool Knows(const BankRecord& record) const;

  enum class Registration { kNew, kChanged, kUnchanged, kTooManyBanks };
  // Takes the record, with the time of the first registration and with `ahead` as it is known. The bank is there: it
  // counts as answering.
  Registration Register(BankRecord& record, WallTime now);

  // The bank claims to have seen so much. False: it has been ahead before.
  bool NoteAhead(const std::string& bank_id, std::uint64_t sequence);
  bool IsAhead(const std::string& bank_id) const { return !ahead_.empty() && ahead_.contains(bank_id); }
  // It is so no more. Returns what the bank had claimed; 0: it was not ahead.
  std::uint64_t EndAhead(const std::string& bank_id);

  // Open payments that touch the bank.
  std::size_t open_count(const std::string& bank_id) const;
  void Opened(const std::string& bank_id) { ++banks_[bank_id].open; }
  void Closed(const std::string& bank_id);

  void Answered(const std::string& bank_id);
  void DidNotAnswer(const std::string& bank_id, MonotonicTime now);
  bool IsSilent(const std::string& bank_id) const;  // did not answer the last time
  bool IsOffline(const std::string& bank_id) const;
  // Whether it is worth asking about a new payment. An offline bank is asked one now and then, to see whether it is
  // back: that it registers again is not all there is.
  bool MayAsk(const std::string& bank_id, MonotonicTime now);

 private:
  struct Bank {
    BankRecord record;  // without a bank_id until it has registered
    std::size_t open = 0;
    std::uint32_t failures = 0;  // deliveries in a row that got no answer
    MonotonicTime next_probe{};  // while it is offline
  };

  std::uint32_t failures_until_offline_;
  Duration probe_interval_;
  std::unordered_map<std::string, Bank> banks_;
  std::unordered_map<std::string, std::uint64_t> ahead_;  // also of banks that have not registered
};

}  // namespace strife::protocol
