// Deliberate defects, to prove that the simulator would notice if a rule of docs/protocol.md were broken.
//
// Production code asks Mutated(Defect::k…) at the place where the rule lives. In every normal build that is the
// constant false, so the compiler leaves nothing of it behind. Only the mutation test is compiled with STRIFE_DEFECTS;
// there one defect at a time is switched on, and the test fails unless it is found.
#pragma once

namespace strife::protocol {

// Each breaks the rule that its comment names.
enum class Defect {
  kNone,

  // R1, R15: the engine
  kSendBeforeDurable,  // R1: messages leave although their records did not reach the disk

  // R2, R4, R5, R7, R10: the gateway
  kPrepareBeforeRecord,           // R2: banks are asked about a payment that is not on record
  kCommitOnFirstVote,             // R4: one YES is taken for all
  kTimeoutAbortsDecided,          // R4: a late acknowledgement turns a decided commit into an abort
  kRepeatRestartsAborted,         // R4: the repeat of an aborted payment's request starts it over
  kRestartAbortsDecided,          // R10: a restart aborts whatever is incomplete, decided or not
  kRestartForgetsDelivery,        // R10: a restart does not deliver decided commits again
  kRedeliveryGivenUp,             // R5: after a few attempts a commit is not delivered any more
  kPartialCommitEndsDelivery,     // R5: a late commit counts as an outcome and is not delivered any more
  kCompletedOnFirstAck,           // R5: COMPLETED is said when one of two banks has posted
  kLateCommitToldAborted,         // R5: the caller of a late commit is told ABORTED
  kUndecidedInquiryAborts,        // R7: asked about an undecided payment, answers ABORT without recording it
  kLostRecordPresumedAborted,     // R7: presumes the abort of a payment whose record it must once have had
  kCancelNotRecorded,             // R7: says that a payment will never be made, and does not record it
  kRestoredBackupUnnoticed,       // R7: takes no notice of banks that have seen more of the store than is in it
  kCompletedForgotten,            // exactly once: the repeat of a completed payment's request pays again
  kOtherPaymentUnderSameIdTaken,  // exactly once: another payment under a known id is answered as if it were that one

  // R3, R6, R8, R9, R10, R12: the bank
  kYesWithoutHold,            // R3: votes YES without setting anything aside
  kHoldsOvercommit,           // R3: checks the balance and not what other payments hold of it
  kOverdraftByOne,            // R3: lets an account go one minor unit below zero
  kRefusalForgotten,          // R3: says YES when it is asked again about what it refused
  kVotedHoldExpires,          // R6: aborts alone what it voted YES on, when the gateway cannot be asked
  kPendingTakenForCommit,     // R6: takes the answer "undecided" for a commit
  kNoTombstone,               // R8: an abort of something unknown leaves no trace, so a late prepare gets a YES
  kForgetsCommitted,          // R8: a committed transaction is not recognised when its messages come again
  kCommitPostsAgain,          // R8: a repeated commit posts again
  kAbortReleasesAgain,        // R8: a repeated abort gives back a hold again
  kCommitWithoutPrepareDone,  // R8: confirms the commit of something it never prepared
  kAbortUndoesCommit,         // R8: an abort of something committed takes effect
  kOtherTermsAccepted,        // R8: says YES to a prepare that repeats an id with other terms
  kStaleGatewayObeyed,        // R9: obeys a gateway that has been succeeded
  kNoInquiryAtStart,          // R10: does not ask about what it finds prepared when it starts
  kAbortFreesOneLeg,          // R12: the abort of a payment within the bank gives back one leg only
  kOneSidedEntry,             // ledger: writes one line of each two

  // R9: the store
  kSucceededGatewayWrites,  // R9: takes writes of an incarnation that has been succeeded

  kCount,  // not a defect
};

#ifdef STRIFE_DEFECTS
// The one that is switched on.
inline Defect active_defect = Defect::kNone;
inline bool Mutated(Defect defect) { return active_defect == defect; }
#else
constexpr bool Mutated(Defect) { return false; }
#endif

}  // namespace strife::protocol
