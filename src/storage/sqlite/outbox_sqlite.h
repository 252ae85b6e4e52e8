// The outbox's store in one SQLite file.
#pragma once

#include <filesystem>
#include <memory>

#include "env/outbox_store.h"

namespace strife {

// Opens the file, making it (mode 0600) when it is not there. Opening excludes nobody, but two programs must not make
// the file at the same moment: hold a lock around the first opening. kStorage: damaged or unwritable; kInvalidInput:
// not a payment queue, or made by a newer Strife.
Result<std::unique_ptr<OutboxStore>> OpenOutboxStore(const std::filesystem::path& file);

// Opens an existing file for reading.
Result<std::unique_ptr<OutboxReader>> OpenOutboxReader(const std::filesystem::path& file);

}  // namespace strife
