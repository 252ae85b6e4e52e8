// What the storage tests share: two makers of stores behind one face, records to write, a folder that goes away.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "audit/chain.h"
#include "base/test_directory.h"
#include "env/bank_store.h"
#include "env/gateway_store.h"
#include "storage/memory/memory_bank_store.h"
#include "storage/memory/memory_gateway_store.h"
#include "storage/sqlite/bank_sqlite.h"
#include "storage/sqlite/gateway_sqlite.h"

namespace strife {

// Thousands of real syncs would take minutes and show nothing: what was not synced is lost here by other means.
inline std::filesystem::path Memory() {
  std::error_code ignored;
  return std::filesystem::is_directory("/dev/shm", ignored) ? "/dev/shm" : std::filesystem::temp_directory_path();
}

// Each makes any number of stores and readers on the same durable contents.
struct SqliteMaker {
  TestDirectory folder;
  std::unique_ptr<GatewayStore> Gateway() { return OpenGatewayStore(folder / "gateway.db").value(); }
  std::unique_ptr<GatewayReader> GatewayReading() { return OpenGatewayReader(folder / "gateway.db").value(); }
  std::unique_ptr<BankStore> Bank() { return OpenBankStore(folder / "bank.db").value(); }
  std::unique_ptr<BankReader> BankReading() { return OpenBankReader(folder / "bank.db").value(); }
};

struct MemoryMaker {
  std::shared_ptr<MemoryGatewayDisk> gateway_disk = std::make_shared<MemoryGatewayDisk>();
  std::shared_ptr<MemoryBankDisk> bank_disk = std::make_shared<MemoryBankDisk>();
  std::unique_ptr<GatewayStore> Gateway() { return OpenMemoryGatewayStore(gateway_disk); }
  std::unique_ptr<GatewayReader> GatewayReading() { return OpenMemoryGatewayReader(gateway_disk); }
  std::unique_ptr<BankStore> Bank() { return OpenMemoryBankStore(bank_disk); }
  std::unique_ptr<BankReader> BankReading() { return OpenMemoryBankReader(bank_disk); }
};

using Makers = ::testing::Types<MemoryMaker, SqliteMaker>;

inline Currency Usd() { return *Currency::Parse("USD"); }
inline WallTime At(std::int64_t micros) { return WallTime(Duration(micros)); }

// Ids sort by `number`.
inline Uuid IdOf(std::uint32_t number) {
  Uuid id;
  for (std::size_t i = 0; i < 4; ++i) id.bytes[i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  id.bytes[15] = 1;
  return id;
}

inline protocol::PaymentRecord PaymentOf(std::uint32_t number, std::string payer = "alice") {
  protocol::PaymentRecord payment;
  payment.order = {IdOf(number), std::move(payer), {"bank1", "A-1"}, {"bank2", "B-2"}, {1250, Usd()}, "rent é"};
  payment.epoch = 1;
  payment.created_at = At(1000 + number);
  payment.updated_at = At(2000 + number);
  return payment;
}

inline protocol::BankTransactionRecord TransactionOf(std::uint32_t number) {
  protocol::BankTransactionRecord transaction;
  transaction.id = IdOf(number);
  transaction.epoch = 3;
  transaction.gateway_store_id = IdOf(77);
  transaction.debit_account = "A-1";
  transaction.amount = {500, Usd()};
  transaction.created_at = At(10);
  transaction.updated_at = At(11);
  return transaction;
}

inline protocol::AccountRecord AccountOf(std::string id, std::int64_t posted, std::int64_t held = 0) {
  protocol::AccountRecord account;
  account.account_id = std::move(id);
  account.currency = Usd();
  account.posted = posted;
  account.held = held;
  return account;
}

inline protocol::EntryRecord EntryOf(std::uint32_t number, std::uint8_t line, std::int64_t amount) {
  return {IdOf(number), line, line == 0 ? "A-1" : "clearing:USD", amount, Usd(), At(12)};
}

inline protocol::AuditRecord AuditOf(protocol::AuditEvent event, std::string actor) {
  protocol::AuditRecord record;
  record.event = event;
  record.at = At(5);
  record.actor = std::move(actor);
  return record;
}

// All rows of a cursor.
template <typename Row>
std::vector<Row> Drain(Result<std::unique_ptr<Cursor<Row>>> cursor) {
  std::vector<Row> rows;
  if (!cursor) {
    ADD_FAILURE() << cursor.error().message;
    return rows;
  }
  for (;;) {
    auto row = (*cursor)->Next();
    if (!row) ADD_FAILURE() << row.error().message;
    if (!row || !*row) return rows;
    rows.push_back(std::move(**row));
  }
}

// The log, which must be an unbroken chain from its beginning.
inline std::vector<AuditEntry> ExpectChain(Result<std::unique_ptr<AuditSnapshot>> log) {
  if (!log) {
    ADD_FAILURE() << log.error().message;
    return {};
  }
  const std::vector<AuditEntry> entries = Drain((*log)->Entries());
  audit::Chain chain((*log)->Start().value(), std::nullopt);
  for (const AuditEntry& entry : entries) EXPECT_EQ(chain.Append(entry.record), entry) << entry.sequence;
  return entries;
}

// "20 user/alice": each entry's event and its subject or, when it has none, its actor.
inline std::vector<std::string> Described(const std::vector<AuditEntry>& entries) {
  std::vector<std::string> texts;
  for (const auto& [sequence, record, hash] : entries) {
    texts.push_back(std::to_string(static_cast<int>(record.event)) + " " +
                    (record.subject.empty() ? record.actor : record.subject));
  }
  return texts;
}

// Commit n of a bank: transaction n with its two entries moves n minor units.
inline BankRecords BankCommit(int n) {
  const auto number = static_cast<std::uint32_t>(n);
  BankRecords records;
  records.transactions = {TransactionOf(number)};
  records.transactions[0].state = protocol::BankTransactionState::kCommitted;
  records.accounts = {AccountOf("A-1", 1000 - n), AccountOf("B-1", 1000 + n)};
  records.entries = {EntryOf(number, 0, -1), EntryOf(number, 1, 1)};
  records.gateway_seen = GatewaySeen{IdOf(77), number};
  return records;
}

}  // namespace strife
