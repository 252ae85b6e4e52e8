#include "http2/client_connection.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/limits.h"
#include "http2/wire.h"

namespace strife::http2 {
namespace {

constexpr Duration kPingAfter = std::chrono::seconds(20);  // not more often than servers allow
constexpr Duration kPingTimeout = std::chrono::seconds(10);
constexpr int kNoGrpcStatus = -1;

// What HTTP itself, or a proxy, may say in place of gRPC's status.
Code CodeOfHttp(int status) {
  switch (status) {
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return Code::kUnavailable;
    default:
      return Code::kUnknown;
  }
}

// Rounded up, so that most calls have the same, which costs a byte.
std::string TimeoutHeader(Duration left) {
  constexpr std::int64_t kStepMs = 10, kMostMs = 99'999'990;  // eight digits are allowed
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return std::to_string(std::clamp((ms + kStepMs - 1) / kStepMs * kStepMs, kStepMs, kMostMs)) + "m";
}

int Number(std::string_view text, int otherwise) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : otherwise;
}

}  // namespace

// Each hands over to the connection it is about.
struct ClientConnection::Callbacks {
  static ClientConnection& Self(void* user) { return *static_cast<ClientConnection*>(user); }
  static ClientCall* CallOf(nghttp2_session* session, std::int32_t stream) {
    return static_cast<ClientCall*>(nghttp2_session_get_stream_user_data(session, stream));
  }

  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name,
                      std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                      void* user) {
    if (ClientCall* call = CallOf(session, frame->hd.stream_id)) {
      Self(user).OnHeader(*call, {reinterpret_cast<const char*>(name), name_size},
                          {reinterpret_cast<const char*>(value), value_size});
    }
    return 0;
  }

  static int OnData(nghttp2_session* session, std::uint8_t, std::int32_t stream, const std::uint8_t* data,
                    std::size_t size, void* user) {
    if (ClientCall* call = CallOf(session, stream)) {
      Self(user).OnData(*call, {reinterpret_cast<const char*>(data), size});
    }
    return 0;
  }

  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_SETTINGS) Self(user).settled_ = true;
    if (frame->hd.type == NGHTTP2_GOAWAY) Self(user).leaving_ = true;
    return 0;
  }

  static int OnSent(nghttp2_session* session, const nghttp2_frame* frame, void*) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    if (ClientCall* call = CallOf(session, frame->hd.stream_id)) call->left_ = true;
    return 0;
  }

  static int OnStreamClose(nghttp2_session*, std::int32_t stream, std::uint32_t error, void* user) {
    Self(user).OnClosed(stream, error);
    return 0;
  }

  static ssize_t ReadRequest(nghttp2_session*, std::int32_t, std::uint8_t* to, std::size_t size, std::uint32_t* flags,
                             nghttp2_data_source* source, void* user) {
    return Self(user).ReadRequest(*static_cast<ClientCall*>(source->ptr), to, size, flags);
  }

  static const nghttp2_session_callbacks* All() {
    static const nghttp2_session_callbacks* const all = [] {
      nghttp2_session_callbacks* made = nullptr;
      nghttp2_session_callbacks_new(&made);
      nghttp2_session_callbacks_set_on_header_callback(made, OnHeader);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, OnData);
      nghttp2_session_callbacks_set_on_frame_recv_callback(made, OnFrame);
      nghttp2_session_callbacks_set_on_frame_send_callback(made, OnSent);
      nghttp2_session_callbacks_set_on_stream_close_callback(made, OnStreamClose);
      return made;
    }();
    return all;
  }
};

ClientConnection::ClientConnection(std::unique_ptr<TlsChannel> tls, std::string authority, MonotonicTime now)
    : link_(std::move(tls)), authority_(std::move(authority)), received_at_(now) {
  nghttp2_option* options = nullptr;
  nghttp2_option_new(&options);
  nghttp2_option_set_no_closed_streams(options, 1);
  nghttp2_session* session = nullptr;
  nghttp2_session_client_new2(&session, Callbacks::All(), this, options);
  nghttp2_option_del(options);
  link_.Begin(session);
  const std::array settings = {
      nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindowBytes},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits::kMaxMetadataBytes}};
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, kConnectionWindowBytes);
}

ClientConnection::~ClientConnection() { EndCalls(); }

void ClientConnection::Begin(std::shared_ptr<ClientCall> call, MonotonicTime now) {
  if (calls_.empty()) received_at_ = now;
  const std::string timeout = TimeoutHeader(call->request_.deadline - now);
  std::vector<nghttp2_nv> headers = {
      Header(":method", "POST"),        Header(":scheme", "https"), Header(":path", call->request_.path),
      Header(":authority", authority_), Header("te", "trailers"),   Header("content-type", "application/grpc"),
      Header("grpc-timeout", timeout)};
  for (const auto& [name, value] : call->request_.metadata) headers.push_back(Header(name, value));
  call->sent_bytes_ = 0;
  call->left_ = false;
  call->http_status_ = 0;
  call->grpc_status_ = kNoGrpcStatus;
  call->body_.clear();
  const nghttp2_data_provider provider{.source = {.ptr = call.get()}, .read_callback = &Callbacks::ReadRequest};
  call->stream_ =
      nghttp2_submit_request(link_.session(), nullptr, headers.data(), headers.size(), &provider, call.get());
  if (call->stream_ < 0) {  // there are no more numbers for streams
    leaving_ = true;
    untouched_.push_back(std::move(call));
    return;
  }
  const std::int32_t stream = call->stream_;
  calls_.emplace(stream, std::move(call));
}

ssize_t ClientConnection::ReadRequest(ClientCall& call, std::uint8_t* to, std::size_t size, std::uint32_t* flags) {
  const std::string& message = call.request_.framed_message;
  const std::size_t bytes = std::min(size, message.size() - call.sent_bytes_);
  std::copy_n(message.data() + call.sent_bytes_, bytes, to);
  call.sent_bytes_ += bytes;
  if (call.sent_bytes_ == message.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(bytes);
}

void ClientConnection::Abandon(ClientCall& call) {
  const auto found = calls_.find(call.stream_);
  if (found == calls_.end() || found->second.get() != &call) return;
  nghttp2_submit_rst_stream(link_.session(), NGHTTP2_FLAG_NONE, call.stream_, NGHTTP2_CANCEL);
}

bool ClientConnection::Receive(MonotonicTime now) {
  const auto receipt = link_.Receive();
  if (receipt != Link::Receipt::kNone) {
    received_at_ = now;
    pinging_ = false;
  }
  return receipt == Link::Receipt::kMore;
}

void ClientConnection::OnHeader(ClientCall& call, std::string_view name, std::string_view value) {
  if (name == ":status") {
    call.http_status_ = Number(value, 0);
  } else if (name == "grpc-status") {
    call.grpc_status_ = Number(value, static_cast<int>(Code::kUnknown));
  } else if (name == "grpc-message") {
    call.status_.message = PercentDecoded(value);
  } else if (name == "grpc-status-details-bin") {
    call.status_.details = Base64Decoded(value);
  } else if (name == "grpc-retry-pushback-ms") {
    // What is no number means, as a negative one, that it is not to be tried again.
    call.status_.pushback = std::chrono::milliseconds(Number(value, -1));
  } else if (name == "grpc-encoding") {
    call.encoding_ = value;
  }
}

void ClientConnection::OnData(ClientCall& call, std::string_view bytes) {
  if (call.body_.size() + bytes.size() > kFramePrefixBytes + limits::kMaxMessageBytes) {
    call.Fail(Code::kResourceExhausted, TooLarge());
    return Abandon(call);
  }
  call.body_ += bytes;
}

void ClientConnection::OnClosed(std::int32_t stream, std::uint32_t error) {
  const auto found = calls_.find(stream);
  if (found == calls_.end()) return;
  const std::shared_ptr<ClientCall> call = std::move(found->second);
  calls_.erase(found);
  if (call->grpc_status_ == kNoGrpcStatus) {
    // Streams that the server's goodbye leaves out are closed like this as well.
    if (error == NGHTTP2_REFUSED_STREAM || !call->left_) return untouched_.push_back(call);
    if (call->http_status_ != 0 && call->http_status_ != 200) {
      return call->Fail(CodeOfHttp(call->http_status_),
                        "the answer is HTTP " + std::to_string(call->http_status_) + ", which is not gRPC");
    }
    return call->Fail(error == NGHTTP2_CANCEL ? Code::kCancelled : Code::kUnavailable,
                      std::string("the server has ended the call: ") + nghttp2_http2_strerror(error));
  }
  call->status_.code = call->grpc_status_;
  if (call->grpc_status_ != 0) return call->Finish({std::move(call->status_), {}});
  std::string inflated;
  const auto message = ReadMessage(call->body_, call->encoding_, inflated);
  if (!message) return call->Finish({message.error(), {}});
  call->Finish({std::move(call->status_), std::string(*message)});
}

void ClientConnection::EndCalls() {
  for (auto& [stream, call] : std::exchange(calls_, {})) {
    if (call->left_) {
      call->Fail(Code::kUnavailable, "the connection was lost: " + link_.tls().Failure());
    } else {
      untouched_.push_back(std::move(call));
    }
  }
}

MonotonicTime ClientConnection::Tick(MonotonicTime now) {
  if (calls_.empty()) {
    pinging_ = false;
    return MonotonicTime::max();
  }
  if (pinging_ && now - received_at_ > kPingAfter + kPingTimeout) link_.End();
  if (!pinging_ && now - received_at_ > kPingAfter) {
    pinging_ = true;
    nghttp2_submit_ping(link_.session(), NGHTTP2_FLAG_NONE, nullptr);
  }
  return received_at_ + kPingAfter + (pinging_ ? kPingTimeout : Duration::zero());
}

}  // namespace strife::http2
