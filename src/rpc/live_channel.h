// LiveChannel: a channel that is made anew when the process's credentials have changed.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "http2/channel.h"
#include "security/live_credentials.h"

namespace strife::rpc {

// Thread-safe; the credentials must outlive it.
class LiveChannel {
 public:
  LiveChannel(const security::LiveCredentials& credentials, security::Identity expected)
      : credentials_(credentials), expected_(std::move(expected)) {}

  // Where to call from now on: host:port.
  void SetAddress(const std::string& address) {
    const std::scoped_lock lock(mutex_);
    if (address_ == address) return;
    address_ = address;
    channel_ = nullptr;
  }

  std::string address() const {
    const std::scoped_lock lock(mutex_);
    return address_;
  }

  // The channel to make the next call on; null without an address. Calls in flight on an earlier one go on undisturbed,
  // on the connection they have.
  std::shared_ptr<http2::Channel> Get() {
    auto current = credentials_.current();
    const std::scoped_lock lock(mutex_);
    if (address_.empty()) return nullptr;
    if (channel_ == nullptr || dialled_with_ != current) {
      channel_ = std::make_shared<http2::Channel>(http2::Target{address_, current, expected_});
      dialled_with_ = std::move(current);
    }
    return channel_;
  }

 private:
  const security::LiveCredentials& credentials_;
  const security::Identity expected_;
  mutable std::mutex mutex_;
  std::string address_;  // guarded by mutex_, as all below
  std::shared_ptr<http2::Channel> channel_;
  std::shared_ptr<const security::Credentials> dialled_with_;
};

}  // namespace strife::rpc
