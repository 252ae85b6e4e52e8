// Serve: the wrapper every handler goes through: admit, run, finish. Nothing is served around it.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <string>
#include <utility>

#include "rpc/admission.h"
#include "rpc/status.h"

namespace strife::rpc {

inline void FinishWithError(grpc::CallbackServerContext* context, grpc::ServerUnaryReactor* reactor,
                            const ApiError& error) {
  if (error.retry_after) {
    context->AddTrailingMetadata("grpc-retry-pushback-ms", std::to_string(error.retry_after->count() / 1000));
  }
  reactor->Finish(ToGrpcStatus(error));
}

// Runs `handle(Caller, Done<T>)` if the caller is admitted; `fill(T, Response&)` writes a successful answer. Response
// and context stay valid until the reactor is finished, which the Done does exactly once.
template <typename T, typename Response, typename Handle, typename Fill>
grpc::ServerUnaryReactor* Serve(Admission& admission, grpc::CallbackServerContext* context, std::string_view method,
                                Response* response, Handle handle, Fill fill) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  ApiResult<Caller> caller = admission.Admit(*context, method);
  if (!caller) {
    FinishWithError(context, reactor, caller.error());
    return reactor;
  }
  handle(*std::move(caller), Done<T>([context, reactor, response, fill](ApiResult<T> result) {
    if (!result) return FinishWithError(context, reactor, result.error());
    fill(*std::move(result), *response);
    reactor->Finish(grpc::Status::OK);
  }));
  return reactor;
}

}  // namespace strife::rpc
