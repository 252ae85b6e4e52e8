// Serve: the wrapper every handler goes through: admit, run, finish. Nothing is served around it.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <chrono>
#include <string>
#include <utility>

#include "rpc/admission.h"
#include "rpc/call_stats.h"
#include "rpc/status.h"

namespace strife::rpc {

// What a call that has begun is measured by.
class CallWatch {
 public:
  explicit CallWatch(MethodStats* stats) : stats_(stats), started_(std::chrono::steady_clock::now()) {}

  void Ended(int code) const {
    if (stats_ == nullptr) return;
    stats_->ended[static_cast<std::size_t>(code)].Add();
    stats_->duration.Add(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - started_));
  }

 private:
  MethodStats* stats_;
  std::chrono::steady_clock::time_point started_;
};

inline void FinishWithError(grpc::CallbackServerContext* context, grpc::ServerUnaryReactor* reactor,
                            const ApiError& error) {
  if (error.retry_after) {
    context->AddTrailingMetadata("grpc-retry-pushback-ms", std::to_string(error.retry_after->count() / 1000));
  }
  reactor->Finish(ToGrpcStatus(error));
}

// `method` must be a literal. Runs `handle(Caller, Done<T>)` if the caller is admitted; `fill(T, Response&)` writes a
// successful answer. Request, response and context stay valid until the reactor is finished, which the Done does
// exactly once.
template <typename T, typename Request, typename Response, typename Handle, typename Fill>
grpc::ServerUnaryReactor* Serve(Admission& admission, grpc::CallbackServerContext* context, std::string_view method,
                                const Request& request, Response* response, Handle handle, Fill fill) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const security::MethodPolicy* policy = security::FindPolicy(method);
  const CallWatch watch(admission.StatsOf(policy));
  ApiResult<Caller> caller = admission.Admit(*context, policy, request.ByteSizeLong());
  if (!caller) {
    watch.Ended(static_cast<int>(caller.error().code));
    admission.NoteRefused(*context, method, {}, caller.error());
    FinishWithError(context, reactor, caller.error());
    return reactor;
  }
  std::string actor = ActorOf(*caller);
  handle(*std::move(caller), Done<T>([&admission, context, method, actor = std::move(actor), reactor, response, fill,
                                      watch](ApiResult<T> result) {
    watch.Ended(result ? 0 : static_cast<int>(result.error().code));
    if (!result) {
      admission.NoteRefused(*context, method, actor, result.error());
      return FinishWithError(context, reactor, result.error());
    }
    fill(*std::move(result), *response);
    reactor->Finish(grpc::Status::OK);
  }));
  return reactor;
}

}  // namespace strife::rpc
