// Rows of the outbox as records.
#pragma once

#include "protocol/outbox_types.h"
#include "storage/sqlite/sqlite.h"

namespace strife::sqlite {

// The statement's current row. What cannot be read is told in `damage`, and an item whose state cannot be read counts
// as parked: one bad row must not hide the others.
Result<protocol::OutboxItem> ReadOutboxItem(const Statement& statement);

}  // namespace strife::sqlite
