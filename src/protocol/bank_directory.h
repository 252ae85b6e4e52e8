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
  bool IsRegistered(const std::string& bank_id) const;
  // Whether the bank may have accounts in the currency: it has registered so, or has not said which it keeps.
  bool Keeps(const std::string& bank_id, Currency currency) const;

  // Whether the bank is registered just so; the time does not count.
  bool Knows(const BankRecord& record) const;

  enum class Registration { kNew, kChanged, kUnchanged, kTooManyBanks };
  // Takes the record, with the time of the first registration. The bank is there: it counts as answering.
  Registration Register(BankRecord& record, WallTime now);

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
};

}  // namespace strife::protocol
