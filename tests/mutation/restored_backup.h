// A gateway whose store was replaced by an old copy, after payments were decided that the copy knows nothing of (rule
// 7).
#pragma once

#include "invariant/violation.h"

namespace strife::mutation {

// The copy has the payment, undecided; one bank has committed it and says what it has seen of the store, the other one
// asks what was decided.
invariant::Violations AskAfterABankHasShownThatTheCopyIsOld();

// The copy has no trace of the payment, and has worked on since, so that no bank has seen more of the store than is in
// it.
invariant::Violations AskAboutAPaymentThatTheCopyHasLost();

}  // namespace strife::mutation
