// The gateway's records from rows of its tables.
#pragma once

#include "env/gateway_store.h"
#include "storage/sqlite/sqlite.h"

namespace strife::sqlite {

// Each expects the columns as gateway_schema.h selects them, and fails on a malformed row.
Result<protocol::PaymentRecord> ReadPayment(const Statement& statement);
Result<protocol::BankRecord> ReadBank(const Statement& statement);
Result<SessionRecord> ReadSession(const Statement& statement);
Result<RefreshTokenRecord> ReadRefreshToken(const Statement& statement);
Result<LoginCounterRecord> ReadLoginCounter(const Statement& statement);
Result<SuspensionRecord> ReadSuspension(const Statement& statement);

// Lists of short identifiers, kept as one text with commas.
std::string JoinNames(const std::vector<std::string>& names);
std::vector<std::string> SplitNames(std::string_view text);

}  // namespace strife::sqlite
