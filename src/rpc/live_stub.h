// LiveStub: a gRPC stub whose connection is made anew when the process's credentials have changed.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "rpc/channel.h"
#include "security/live_credentials.h"

namespace strife::rpc {

// `Service` is a generated service class. Thread-safe; the credentials must outlive it.
template <typename Service>
class LiveStub {
 public:
  using Stub = typename Service::Stub;

  LiveStub(const security::LiveCredentials& credentials, security::Identity expected)
      : credentials_(credentials), expected_(std::move(expected)) {}

  // Where to call from now on: host:port.
  void SetAddress(const std::string& address) {
    const std::scoped_lock lock(mutex_);
    if (address_ == address) return;
    address_ = address;
    stub_ = nullptr;
  }

  std::string address() const {
    const std::scoped_lock lock(mutex_);
    return address_;
  }

  // The stub to make the next call with; null without an address. Calls in flight on an earlier one go on undisturbed,
  // on the connection they have.
  std::shared_ptr<Stub> Get() {
    auto current = credentials_.current();
    const std::scoped_lock lock(mutex_);
    if (address_.empty()) return nullptr;
    if (stub_ == nullptr || dialled_with_ != current) {
      stub_ = Service::NewStub(OpenChannel(address_, *current, expected_));
      dialled_with_ = std::move(current);
    }
    return stub_;
  }

 private:
  const security::LiveCredentials& credentials_;
  const security::Identity expected_;
  mutable std::mutex mutex_;
  std::string address_;  // guarded by mutex_, as all below
  std::shared_ptr<Stub> stub_;
  std::shared_ptr<const security::Credentials> dialled_with_;
};

}  // namespace strife::rpc
