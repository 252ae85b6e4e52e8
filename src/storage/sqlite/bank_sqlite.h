// A bank's store in one SQLite file.
#pragma once

#include <filesystem>
#include <memory>

#include "env/bank_store.h"

namespace strife {

// Opens the file for the bank's engine, making it (mode 0600) when it is not there. While the store lives it holds
// FILE.lock, so that two processes never run one bank: kUnavailable names the other one. kStorage: damaged or
// unwritable; kInvalidInput: not a bank database, or made by a newer Strife.
Result<std::unique_ptr<BankStore>> OpenBankStore(const std::filesystem::path& file);

// Opens an existing file for reading, with as many connections as calls are made at once. Takes no lock.
Result<std::unique_ptr<BankReader>> OpenBankReader(const std::filesystem::path& file);

}  // namespace strife
