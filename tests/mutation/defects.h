// The defects of protocol/defect.h and where each has to be found.
#pragma once

#include "protocol/defect.h"

namespace strife::mutation {

enum class Place {
  kSimulation,      // the scenario tests/scenarios/mutants.toml
  kRefusals,        // there, and its banks are sent what they must refuse (refusals.h)
  kRestoredBackup,  // restored_backup.h
};

struct Listed {
  protocol::Defect defect;
  const char* name;
  const char* rule;  // of docs/protocol.md
  Place place = Place::kSimulation;
  bool at_crash_points = true;  // a single crash, or none, brings it out as well (tests/crash_points)
};

using protocol::Defect;

inline constexpr Listed kDefects[] = {
    {Defect::kSendBeforeDurable, "send before durable", "R1"},
    {Defect::kPrepareBeforeRecord, "prepare before record", "R2"},
    {Defect::kCommitOnFirstVote, "commit on first vote", "R4"},
    {Defect::kTimeoutAbortsDecided, "timeout aborts decided", "R4"},
    {Defect::kRepeatRestartsAborted, "repeat restarts aborted", "R4"},
    {Defect::kRestartAbortsDecided, "restart aborts decided", "R10"},
    {Defect::kRestartForgetsDelivery, "restart forgets delivery", "R10"},
    {Defect::kRedeliveryGivenUp, "redelivery given up", "R5"},
    {Defect::kPartialCommitEndsDelivery, "partial commit ends delivery", "R5"},
    {Defect::kCompletedOnFirstAck, "completed on first ack", "R5"},
    {Defect::kLateCommitToldAborted, "late commit told aborted", "R5"},
    {Defect::kUndecidedInquiryAborts, "undecided inquiry aborts", "R7"},
    {Defect::kLostRecordPresumedAborted, "lost record presumed aborted", "R7", Place::kRestoredBackup, false},
    {Defect::kCancelNotRecorded, "cancel not recorded", "R7", Place::kSimulation, false},
    {Defect::kRestoredBackupUnnoticed, "restored backup unnoticed", "R7", Place::kRestoredBackup, false},
    {Defect::kCompletedForgotten, "completed forgotten", "exactly once"},
    {Defect::kOtherPaymentUnderSameIdTaken, "other payment under same id", "exactly once", Place::kSimulation, false},
    {Defect::kYesWithoutHold, "yes without hold", "R3"},
    {Defect::kHoldsOvercommit, "holds overcommit", "R3"},
    {Defect::kOverdraftByOne, "overdraft by one", "R3"},
    {Defect::kRefusalForgotten, "refusal forgotten", "R3"},
    {Defect::kVotedHoldExpires, "voted hold expires", "R6"},
    {Defect::kPendingTakenForCommit, "pending taken for commit", "R6"},
    {Defect::kNoTombstone, "no tombstone", "R8"},
    {Defect::kForgetsCommitted, "forgets committed", "R8"},
    {Defect::kCommitPostsAgain, "commit posts again", "R8"},
    {Defect::kAbortReleasesAgain, "abort releases again", "R8"},
    {Defect::kCommitWithoutPrepareDone, "commit without prepare done", "R8", Place::kRefusals, false},
    {Defect::kAbortUndoesCommit, "abort undoes commit", "R8", Place::kRefusals, false},
    {Defect::kOtherTermsAccepted, "other terms accepted", "R8", Place::kRefusals, false},
    {Defect::kStaleGatewayObeyed, "stale gateway obeyed", "R9", Place::kRefusals, false},
    {Defect::kNoInquiryAtStart, "no inquiry at start", "R10"},
    {Defect::kAbortFreesOneLeg, "abort frees one leg", "R12"},
    {Defect::kOneSidedEntry, "one-sided entry", "ledger"},
    {Defect::kSucceededGatewayWrites, "succeeded gateway writes", "R9"},
};

}  // namespace strife::mutation
