#include "rpc/open_calls.h"

#include <grpcpp/server_context.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "rpc/admission.h"

namespace strife::rpc {

using grpc::experimental::InterceptionHookPoints;

// One call, as gRPC's interceptor of it, which lives as long as the call's context.
class OpenCalls::Call final : public grpc::experimental::Interceptor {
 public:
  Call(OpenCalls& calls, grpc::ServerContextBase& context, bool history)
      : calls_(calls),
        context_(context),
        began_(calls.clock_.Read().monotonic),
        certificate_(CertificateOf(context)),
        is_history_(history) {
    calls_.limits_.CallArrived(certificate_);
    if (is_history_) calls_.limits_.HistoryBegan(certificate_);
    Shard& shard = calls_.ShardOf(this);
    const std::lock_guard lock(shard.mutex);
    older_ = shard.newest;
    (older_ == nullptr ? shard.oldest : older_->newer_) = this;
    shard.newest = this;
    linked_ = true;
  }

  ~Call() override {
    Unlink();
    if (is_history_) calls_.limits_.HistoryEnded(certificate_);
  }

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    // Given up by the caller, before it had been sent or before it was answered.
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_CLOSE) && context_.IsCancelled()) {
      calls_.limits_.Wasted(certificate_, PeerAddress(context_));
    }
    methods->Proceed();
  }

  MonotonicTime began() const { return began_; }
  void End() { context_.TryCancel(); }

  void Unlink() {
    Shard& shard = calls_.ShardOf(this);
    const std::lock_guard lock(shard.mutex);
    if (!linked_) return;
    linked_ = false;
    (older_ == nullptr ? shard.oldest : older_->newer_) = newer_;
    (newer_ == nullptr ? shard.newest : newer_->older_) = older_;
  }

 private:
  OpenCalls& calls_;
  grpc::ServerContextBase& context_;
  const MonotonicTime began_;
  const std::string certificate_;
  const bool is_history_;
  bool linked_ = false;  // guarded by its shard's mutex, as the rest
  Call* older_ = nullptr;
  Call* newer_ = nullptr;
};

class OpenCalls::Factory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit Factory(OpenCalls& calls) : calls_(calls) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(grpc::experimental::ServerRpcInfo* info) override {
    const bool history = std::string_view(info->method()).ends_with("/ViewTransactionHistory");
    return new Call(calls_, *info->server_context(), history);  // gRPC takes ownership
  }

 private:
  OpenCalls& calls_;
};

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> OpenCalls::Interceptors() {
  return std::make_unique<Factory>(*this);
}

OpenCalls::Shard& OpenCalls::ShardOf(const Call* call) {
  return shards_[(reinterpret_cast<std::uintptr_t>(call) >> 7) % shards_.size()];
}

void OpenCalls::EndOverdue() {
  const MonotonicTime overdue = clock_.Read().monotonic - longest_;
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    while (shard.oldest != nullptr && shard.oldest->began() < overdue) {
      Call* call = shard.oldest;
      call->Unlink();
      call->End();
    }
  }
}

}  // namespace strife::rpc
