// Verify: proves the books of a whole network, or names what is wrong with them.
//
// A plain sum of balances is not enough, for two wrongs can cancel; so every transaction is followed leg by leg through
// the gateway and the banks (design: Verification). The scans, all in id order, are merged, so that memory grows with
// the number of accounts and not with the history.
//
// A running network may be verified: the gateway is read first, then the banks, so each bank is at least as far as the
// gateway's record says; and what seems wrong with a payment that was not final yet is looked up at the gateway again
// before it is called a violation.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "env/bank_store.h"
#include "env/gateway_store.h"
#include "verify/report.h"

namespace strife::verify {

// `banks` maps bank ids to readers, all of which must outlive the call. Fails only when books cannot be read; wrong
// books are in the report.
Result<Report> Verify(GatewayReader& gateway, const std::map<std::string, BankReader*>& banks);

}  // namespace strife::verify
