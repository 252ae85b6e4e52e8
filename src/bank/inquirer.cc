#include "bank/inquirer.h"

#include "base/limits.h"

namespace strife::bank {

void Inquirer::Ask(const protocol::Inquiry& inquiry) {
  {
    std::unique_lock lock(mutex_);
    if (in_flight_ >= limits::kMaxInquiriesInFlight) {
      waiting_.push_back(inquiry);
      return;
    }
    ++in_flight_;
  }
  Send(inquiry);
}

void Inquirer::Stop() {
  std::unique_lock lock(mutex_);
  waiting_.clear();
}

void Inquirer::Send(const protocol::Inquiry& inquiry) {
  rpc::InquiryRequest request{.transaction_id = inquiry.id.ToString(), .gateway_store_id = {}, .gateway_sequence = 0};
  if (!inquiry.gateway_store_id.IsNil()) request.gateway_store_id = inquiry.gateway_store_id.ToString();
  request.gateway_sequence = inquiry.gateway_sequence;
  link_.Inquire(request, [this, id = inquiry.id](const Result<rpc::InquiryResponse>& response) {
    protocol::InquiryAnswered answer{.id = id, .decision = std::nullopt, .epoch = 0};
    if (response) {
      answer.decision = response->decision;
      answer.epoch = response->gateway_epoch;
    }
    answered_(answer);
    Finished();
  });
}

void Inquirer::Finished() {
  std::unique_lock lock(mutex_);
  if (waiting_.empty()) {
    --in_flight_;
    return;
  }
  const protocol::Inquiry next = waiting_.front();
  waiting_.pop_front();
  lock.unlock();
  Send(next);
}

}  // namespace strife::bank
