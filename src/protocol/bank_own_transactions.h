// Transactions in which no gateway takes part: decided and posted by the bank in one step.
#pragma once

#include "protocol/bank_working_set.h"

namespace strife::protocol {

// A deposit or withdrawal. The same id with the same content is answered again, with other content refused.
// `id_is_prepared`: the id belongs to an undecided payment that is not among the rows.
DirectAnswer ProcessDirect(BankWorkingSet& batch, const DirectInput& input, bool id_is_prepared);

// Opens an account with its opening balance; nothing happens when it exists.
void OpenAccount(BankWorkingSet& batch, const OpenAccountInput& input);

}  // namespace strife::protocol
