// The defects of protocol/defect.h and where each has to be found.
#pragma once

#include <string_view>

#include "protocol/defect.h"

namespace strife::mutation {

enum class Place {
  kSimulation,      // the scenario tests/scenarios/mutants.toml
  kRefusals,        // there, and its banks are sent what they must refuse (refusals.h)
  kRestoredBackup,  // restored_backup.h
};

struct Listed {
  protocol::Defect defect;
  std::string_view name;
  std::string_view rule;  // of docs/protocol.md
  Place place = Place::kSimulation;
  bool at_crash_points = false;  // a single crash brings it out as well
};

using protocol::Defect;

inline constexpr Listed kDefects[] = {
    {Defect::kSendBeforeDurable, "send before durable", "R1", Place::kSimulation, true},
    {Defect::kPrepareBeforeRecord, "prepare before record", "R2"},
    {Defect::kCommitOnFirstVote, "commit on first vote", "R4"},
    {Defect::kTimeoutAbortsDecided, "timeout aborts decided", "R4"},
    {Defect::kRepeatRestartsAborted, "repeat restarts aborted", "R4"},
    {Defect::kRestartAbortsDecided, "restart aborts decided", "R10", Place::kSimulation, true},
    {Defect::kRestartForgetsDelivery, "restart forgets delivery", "R10"},
    {Defect::kRedeliveryGivenUp, "redelivery given up", "R5"},
    {Defect::kPartialCommitEndsDelivery, "partial commit ends delivery", "R5"},
    {Defect::kCompletedOnFirstAck, "completed on first ack", "R5"},
    {Defect::kLateCommitToldAborted, "late commit told aborted", "R5"},
    {Defect::kUndecidedInquiryAborts, "undecided inquiry aborts", "R7"},
    {Defect::kLostRecordPresumedAborted, "lost record presumed aborted", "R7", Place::kRestoredBackup},
    {Defect::kRestoredBackupUnnoticed, "restored backup unnoticed", "R7", Place::kRestoredBackup},
    {Defect::kCompletedForgotten, "completed forgotten", "exactly once"},
    {Defect::kOtherPaymentUnderSameIdTaken, "other payment under same id", "exactly once"},
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
    {Defect::kCommitWithoutPrepareDone, "commit without prepare done", "R8", Place::kRefusals},
    {Defect::kAbortUndoesCommit, "abort undoes commit", "R8", Place::kRefusals},
    {Defect::kOtherTermsAccepted, "other terms accepted", "R8", Place::kRefusals},
    {Defect::kStaleGatewayObeyed, "stale gateway obeyed", "R9", Place::kRefusals},
    {Defect::kNoInquiryAtStart, "no inquiry at start", "R10"},
    {Defect::kAbortFreesOneLeg, "abort frees one leg", "R12"},
    {Defect::kOneSidedEntry, "one-sided entry", "ledger"},
    {Defect::kSucceededGatewayWrites, "succeeded gateway writes", "R9"},
};

}  // namespace strife::mutation
