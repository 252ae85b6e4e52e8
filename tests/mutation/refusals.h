// What a bank must refuse: commands that contradict its records. No gateway that works sends them, so a simulation
// never shows whether they are refused; here they are made up and sent.
#pragma once

#include <string>

#include "invariant/violation.h"
#include "storage/memory/memory_bank_store.h"

namespace strife::mutation {

// Starts a participant on the books of a bank at rest and sends it what it must refuse. Every command it does not
// refuse as it should, and everything that changes in its books, is a violation of "refusals". REQUIRES: a payment that
// was committed there, with a gateway epoch above 0.
invariant::Violations CheckRefusals(const std::string& bank_id, MemoryBankDisk& disk);

}  // namespace strife::mutation
