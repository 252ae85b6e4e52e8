// Asks the gateway about undecided transactions, a bounded number at a time.
#pragma once

#include <deque>
#include <functional>
#include <mutex>

#include "protocol/participant.h"
#include "rpc/gateway_link.h"

namespace strife::bank {

// Thread-safe. `link` must outlive it, and must have finished its calls before this object goes.
class Inquirer {
 public:
  // `answered` is told about every inquiry exactly once, on any thread, but for those forgotten by Stop.
  Inquirer(rpc::GatewayLink& link, std::function<void(protocol::InquiryAnswered)> answered)
      : link_(link), answered_(std::move(answered)) {}

  void Ask(const protocol::Inquiry& inquiry);
  // Forgets the inquiries that have not been sent; nothing may be asked afterwards.
  void Stop();

 private:
  void Send(const protocol::Inquiry& inquiry);
  void Finished();

  rpc::GatewayLink& link_;
  const std::function<void(protocol::InquiryAnswered)> answered_;
  std::mutex mutex_;
  std::deque<protocol::Inquiry> waiting_;
  std::size_t in_flight_ = 0;
};

}  // namespace strife::bank
