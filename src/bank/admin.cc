#include "bank/admin.h"

#include <memory>
#include <utility>

#include "runtime/parked.h"

namespace strife::bank {
namespace {

using protocol::HeuristicAnswer;
using protocol::HeuristicOutcome;
using protocol::HeuristicRecord;
using rpc::ApiCode;
using rpc::ApiError;

ApiError Refused(std::string reason_code, std::string message, ApiCode code = ApiCode::kFailedPrecondition) {
  return {.code = code, .reason_code = std::move(reason_code), .message = std::move(message)};
}

rpc::ApiResult<HeuristicRecord> Translate(HeuristicAnswer answer) {
  const std::string decision =
      answer.record && answer.record->decision == protocol::Decision::kCommit ? "commit" : "abort";
  switch (answer.outcome) {
    case HeuristicOutcome::kProposed:
    case HeuristicOutcome::kForced:
    case HeuristicOutcome::kAcknowledged:
      return *std::move(answer.record);
    case HeuristicOutcome::kNotPrepared:
      return std::unexpected(Refused("NOT_PREPARED",
                                     "the transaction is not prepared here, so there is nothing to decide; see strife "
                                     "admin in-doubt for those that are"));
    case HeuristicOutcome::kSameOperator:
      return std::unexpected(Refused("SECOND_OPERATOR_NEEDED",
                                     "you have proposed to " + decision +
                                         " it, so another operator must confirm, with a certificate of another name",
                                     ApiCode::kPermissionDenied));
    case HeuristicOutcome::kOtherProposal:
      return std::unexpected(Refused("OTHER_PROPOSAL", "operator " + answer.record->proposed_by + " has proposed to " +
                                                           decision +
                                                           " it; confirm that, or wait until it has expired"));
    case HeuristicOutcome::kNotMixed:
      return std::unexpected(
          Refused("NOT_MIXED",
                  "no decision of operators about this transaction is known to differ from the gateway's, so there is "
                  "nothing to acknowledge"));
  }
  return std::unexpected(Refused("UNKNOWN_OUTCOME", "the bank's answer makes no sense", ApiCode::kInternal));
}

}  // namespace

// `make(reply_to)` is the engine's input, `translate` turns its answer into the call's.
template <typename Answer, typename T, typename Make, typename Translate>
void BankAdmin::Ask(rpc::Done<T> done, Make make, Translate translate) {
  using Parked = runtime::Parked<Answer>;
  auto shared_done = std::make_shared<rpc::Done<T>>(std::move(done));
  const protocol::ReplyTo reply_to =
      Parked::Park([shared_done, translate](Answer answer) mutable { (*shared_done)(translate(std::move(answer))); });
  if (submit_(make(reply_to))) return;
  static_cast<void>(Parked::Take(reply_to));
  (*shared_done)(std::unexpected(rpc::Overloaded("the bank")));
}

void BankAdmin::ListInDoubt(rpc::Caller, std::size_t limit, rpc::Done<protocol::InDoubtAnswer> done) {
  Ask<protocol::InDoubtAnswer>(
      std::move(done), [&](protocol::ReplyTo reply_to) { return protocol::ListInDoubtInput{reply_to, limit}; },
      [](protocol::InDoubtAnswer answer) { return rpc::ApiResult<protocol::InDoubtAnswer>(std::move(answer)); });
}

void BankAdmin::Force(rpc::Caller caller, std::string transaction_id, protocol::Decision decision,
                      rpc::Done<HeuristicRecord> done) {
  const auto id = Uuid::Parse(transaction_id);
  if (!id) return done(std::unexpected(rpc::InvalidField("transaction_id", "must be a UUID")));
  Ask<HeuristicAnswer>(
      std::move(done),
      [&](protocol::ReplyTo reply_to) {
        return protocol::ForceInput{reply_to, *id, decision, caller.certificate->identity.name};
      },
      Translate);
}

void BankAdmin::Acknowledge(rpc::Caller caller, std::string transaction_id, rpc::Done<HeuristicRecord> done) {
  const auto id = Uuid::Parse(transaction_id);
  if (!id) return done(std::unexpected(rpc::InvalidField("transaction_id", "must be a UUID")));
  Ask<HeuristicAnswer>(
      std::move(done),
      [&](protocol::ReplyTo reply_to) {
        return protocol::AcknowledgeInput{reply_to, *id, caller.certificate->identity.name};
      },
      Translate);
}

}  // namespace strife::bank
