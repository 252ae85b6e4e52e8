// Verify: proves the books of a whole network, or names what is wrong with them.
//
// A plain sum of balances is not enough, for two wrongs can cancel; so every transaction is followed leg by leg through
// the gateway and the banks (design: Verification). Each table is read once, in id order, every bank on a thread of its
// own, and the payments are merged, so that memory grows with the number of accounts and not with the history.
//
// A running network may be verified. The gateway's books are taken first, then the banks', each as of one moment. By
// rule 1 a bank has then all that the gateway's record rests on, so a payment that was final at the gateway must be
// final, and right, at its banks. What does not fit otherwise may only mean that the gateway was read too early: it is
// looked up there again, and the banks, which are now the ones read earlier, are held to what no delay explains.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/result.h"
#include "env/bank_store.h"
#include "env/gateway_store.h"
#include "verify/report.h"

namespace strife::verify {

// Told now and then how many payments have been checked.
using Progress = std::function<void(std::uint64_t payments)>;

// `banks` maps bank ids to readers, all of which must outlive the call. Fails only when books cannot be read; wrong
// books are in the report.
Result<Report> Verify(GatewayReader& gateway, const std::map<std::string, BankReader*>& banks,
                      const Progress& progress = {});

}  // namespace strife::verify
