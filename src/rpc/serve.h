// Serve: the wrapper every handler goes through: read, admit, run, answer. Nothing is served around it.
#pragma once

#include <google/protobuf/arena.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "http2/call.h"
#include "rpc/admission.h"
#include "rpc/messages.h"
#include "rpc/status.h"

namespace strife::rpc {

// What a method is to do with a call that has arrived in full.
using MethodHandler = std::function<void(std::shared_ptr<http2::Call>)>;
// By path, "/strife.v1.Bank/ExecuteBatch".
using MethodTable = std::unordered_map<std::string_view, MethodHandler>;

class ServedService {
 public:
  virtual ~ServedService() = default;
  // Valid as long as the service.
  virtual MethodTable Methods() = 0;
};

// A call that was admitted, and its messages, which last as long as anybody keeps this.
template <typename Request, typename Response>
struct Served {
  Served(std::shared_ptr<http2::Call> of, const security::MethodPolicy* by, Caller from)
      : call(std::move(of)), policy(by), caller(std::move(from)) {}

  std::shared_ptr<http2::Call> call;
  const security::MethodPolicy* policy;
  Caller caller;
  google::protobuf::Arena arena{MessageArena()};
  Request& request = *google::protobuf::Arena::CreateMessage<Request>(&arena);
  Response& response = *google::protobuf::Arena::CreateMessage<Response>(&arena);
};
template <typename Request, typename Response>
using ServedPtr = std::shared_ptr<Served<Request, Response>>;

inline http2::CallStatus ToCallStatus(const ApiError& error) {
  return {.code = static_cast<int>(error.code),
          .message = error.message,
          .details = SerializedStatus(error),
          .pushback = error.retry_after};
}

// An entry of the table: callers that `admission` lets in are handed to `method` of `service`. Both must outlive it.
template <typename Service, typename Request, typename Response>
MethodTable::value_type Method(std::string_view path, Admission& admission, Service* service,
                               void (Service::*method)(const ServedPtr<Request, Response>&)) {
  const security::MethodPolicy* policy = security::FindPolicy(path);
  return {path, [&admission, policy, service, method](std::shared_ptr<http2::Call> call) {
            ApiResult<Caller> caller = admission.Admit(*call, policy);
            if (!caller) {
              admission.Refused(*call, policy, {}, caller.error(), nullptr);
              return call->Fail(ToCallStatus(caller.error()));
            }
            const std::string_view message = call->message();
            const auto served =
                std::make_shared<Served<Request, Response>>(std::move(call), policy, *std::move(caller));
            if (!served->request.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
              const ApiError error{.code = ApiCode::kInvalidArgument,
                                   .reason_code = "INVALID_ARGUMENT",
                                   .message = "the request is not the message that this method takes"};
              admission.Refused(*served->call, policy, ActorOf(served->caller), error, &served->request);
              return served->call->Fail(ToCallStatus(error));
            }
            (service->*method)(served);
          }};
}

// Runs `handle(Caller, Done<T>)`; `fill(T, Response&)` writes a successful answer. The Done is called exactly once,
// from any thread.
template <typename T, typename Request, typename Response, typename Handle, typename Fill>
void Serve(Admission& admission, const ServedPtr<Request, Response>& served, Handle handle, Fill fill) {
  std::string actor = ActorOf(served->caller);
  handle(std::move(served->caller), Done<T>([&admission, actor = std::move(actor), served, fill](ApiResult<T> result) {
           http2::Call& call = *served->call;
           if (!result) {
             admission.Refused(call, served->policy, actor, result.error(), &served->request);
             return call.Fail(ToCallStatus(result.error()));
           }
           fill(*std::move(result), served->response);
           admission.Answered(call, served->policy, served->request, served->response);
           call.Finish(Framed(served->response));
         }));
}

}  // namespace strife::rpc
