#include "http2/connection.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/limits.h"
#include "http2/wire.h"

namespace strife::http2 {
namespace {

constexpr Duration kPingAfter = std::chrono::seconds(30);
constexpr Duration kPingTimeout = std::chrono::seconds(10);
constexpr Duration kGrace = std::chrono::seconds(30);  // for calls, once the connection is too old
constexpr Duration kMinPingInterval = std::chrono::seconds(limits::kMinPingIntervalSeconds);
constexpr Duration kMaxIdle = std::chrono::seconds(limits::kMaxConnectionIdleSeconds);
constexpr Duration kMaxAge = std::chrono::seconds(limits::kMaxConnectionAgeSeconds);
constexpr Duration kMaxSilence = std::chrono::seconds(limits::kMaxHandshakeSeconds);
constexpr std::size_t kHeaderOverheadBytes = 32;  // as HTTP/2 counts

const nghttp2_nv kStatus200 = Header(":status", "200"), kGrpc = Header("content-type", "application/grpc"),
                 kGrpcOk = Header("grpc-status", "0"),
                 kEncodings = Header("grpc-accept-encoding", "identity,deflate,gzip");

// The trailers of a call that ends so, for as long as this lives.
class Trailers {
 public:
  explicit Trailers(const CallStatus& status)
      : code_(std::to_string(status.code)), message_(PercentEncoded(status.message)), details_(Base64(status.details)) {
    if (status.pushback) pushback_ = std::to_string(status.pushback->count() / 1000);
  }

  template <typename Headers>
  void AppendTo(Headers& headers) const {
    headers.push_back(Header("grpc-status", code_));
    if (!message_.empty()) headers.push_back(Header("grpc-message", message_));
    if (!details_.empty()) headers.push_back(Header("grpc-status-details-bin", details_));
    if (!pushback_.empty()) headers.push_back(Header("grpc-retry-pushback-ms", pushback_));
  }

 private:
  const std::string code_, message_, details_;
  std::string pushback_;
};

nghttp2_option* Options() {
  static nghttp2_option* const options = [] {
    nghttp2_option* made = nullptr;
    nghttp2_option_new(&made);
    nghttp2_option_set_stream_reset_rate_limit(made, limits::kMaxWastedCalls, limits::kMaxWastedCallsPerSecond);
    nghttp2_option_set_no_closed_streams(made, 1);  // kept for priorities only, of which nobody makes use
    // A header's value may end with a blank, as "Bearer " without a token does: the call is refused, not the stream.
    nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(made, 1);
    return made;
  }();
  return options;
}

}  // namespace

// Each hands over to the connection it is about.
struct Connection::Callbacks {
  static Connection& Self(void* user) { return *static_cast<Connection*>(user); }
  static Call* CallOf(nghttp2_session* session, std::int32_t stream) {
    return static_cast<Call*>(nghttp2_session_get_stream_user_data(session, stream));
  }

  static int BeginHeaders(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    Connection& self = Self(user);
    const std::int32_t stream = frame->hd.stream_id;
    auto call = std::make_shared<Call>(self.peer_, self.mailbox_, self.memory_, stream, self.now_);
    call->connection_ = &self;
    nghttp2_session_set_stream_user_data(session, stream, call.get());
    self.calls_.emplace(stream, std::move(call));
    return 0;
  }

  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name,
                      std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t, void*) {
    Call* call = CallOf(session, frame->hd.stream_id);
    if (call == nullptr || call->admitted_) return 0;  // trailers say nothing that is asked for
    const std::string_view key(reinterpret_cast<const char*>(name), name_size);
    const std::string_view text(reinterpret_cast<const char*>(value), value_size);
    call->metadata_bytes_ += name_size + value_size + kHeaderOverheadBytes;
    if (call->metadata_bytes_ > limits::kMaxMetadataBytes) return 0;
    if (key == ":path") {
      call->path_ = text;
    } else if (key == ":method") {
      call->method_ = text;
    } else if (key == "content-type") {
      call->content_type_ = text;
    } else if (key == "grpc-encoding") {
      call->encoding_ = text;
    } else if (!key.starts_with(':')) {
      call->metadata_.emplace_back(key, text);
    }
    return 0;
  }

  static int OnData(nghttp2_session* session, std::uint8_t, std::int32_t stream, const std::uint8_t* data,
                    std::size_t size, void* user) {
    if (Call* call = CallOf(session, stream)) Self(user).OnData(*call, {reinterpret_cast<const char*>(data), size});
    return 0;
  }

  static int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Connection& self = Self(user);
    self.settled_ = true;
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) self.OnPing();
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    Call* call = CallOf(session, frame->hd.stream_id);
    if (call == nullptr) return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) self.OnHeaders(*call);
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) self.OnRequestEnd(*call);
    return 0;
  }

  static int OnSent(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    Self(user).ping_strikes_ = 0;  // clients ask after what they have received, to measure the link
    const bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (!last || nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) != 0) return 0;
    // Answered before it was all there: the rest need not be sent.
    return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
  }

  static int OnStreamClose(nghttp2_session*, std::int32_t stream, std::uint32_t, void* user) {
    Self(user).OnStreamClosed(stream);
    return 0;
  }

  static ssize_t ReadAnswer(nghttp2_session*, std::int32_t, std::uint8_t* to, std::size_t size, std::uint32_t* flags,
                            nghttp2_data_source* source, void* user) {
    return Self(user).ReadAnswer(*static_cast<Call*>(source->ptr), to, size, flags);
  }

  static const nghttp2_session_callbacks* All() {
    static const nghttp2_session_callbacks* const all = [] {
      nghttp2_session_callbacks* made = nullptr;
      nghttp2_session_callbacks_new(&made);
      nghttp2_session_callbacks_set_on_begin_headers_callback(made, BeginHeaders);
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

Connection::Connection(std::unique_ptr<TlsChannel> tls, std::string name, Handler& handler,
                       std::shared_ptr<RequestMemory> memory, MonotonicTime now)
    : link_(std::move(tls)),
      name_(std::move(name)),
      handler_(handler),
      memory_(std::move(memory)),
      came_(now),
      now_(now) {}

Connection::~Connection() {
  while (!calls_.empty()) OnStreamClosed(calls_.begin()->first);
  handler_.Left(name_, link_.tls().socket());
}

void Connection::Handshake() {
  const auto progress = link_.tls().Handshake();
  made_ = progress == TlsChannel::Progress::kDone;
  if (progress == TlsChannel::Progress::kEnded) link_.End();
}

void Connection::Begin(std::shared_ptr<Mailbox> mailbox, MonotonicTime now) {
  mailbox_ = std::move(mailbox);
  Peer peer = link_.tls().Describe();
  peer.name = name_;
  peer_ = std::make_shared<const Peer>(std::move(peer));
  now_ = received_at_ = called_at_ = now;
  nghttp2_session* session = nullptr;
  nghttp2_session_server_new2(&session, Callbacks::All(), this, Options());
  link_.Begin(session);
  const std::array settings = {
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits::kMaxCallsPerConnection},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindowBytes},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits::kMaxMetadataBytes}};
  nghttp2_submit_settings(link_.session(), NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(link_.session(), NGHTTP2_FLAG_NONE, 0, kConnectionWindowBytes);
}

bool Connection::Receive(MonotonicTime now) {
  now_ = now;
  const auto receipt = link_.Receive();
  if (receipt != Link::Receipt::kNone) {
    received_at_ = now;
    pinging_ = false;
  }
  return receipt == Link::Receipt::kMore;
}

// ---- A request ----

void Connection::OnHeaders(Call& call) {
  called_at_ = now_;
  if (call.method_ != "POST" || !call.content_type_.starts_with("application/grpc")) {
    const nghttp2_nv status = Header(":status", call.method_ != "POST" ? "405" : "415");
    call.answered_ = true;
    nghttp2_submit_response(link_.session(), call.stream_, &status, 1, nullptr);
    return;
  }
  // One byte of HTTP/2 can stand for a header of some thousand.
  if (!Charge(call, std::min(call.metadata_bytes_, limits::kMaxMetadataBytes))) return;
  if (auto refused = handler_.Begins(call)) return Refuse(call, *std::move(refused));
  call.admitted_ = true;
}

bool Connection::Charge(Call& call, std::size_t bytes) {
  if (memory_->Take(call.charged_bytes_, bytes)) {
    call.charged_bytes_ += bytes;
    return true;
  }
  Refuse(call, Failure(Code::kResourceExhausted,
                       "the server has as many requests under way as it has memory for; nothing was recorded, send the "
                       "same request again in a moment"));
  return false;
}

void Connection::OnData(Call& call, std::string_view bytes) {
  if (call.answered_ || call.arrived_) return;
  if (!Charge(call, bytes.size())) return;
  call.body_ += bytes;
  const auto prefix = ReadPrefix(call.body_);
  if (prefix && prefix->bytes > limits::kMaxMessageBytes) {
    return Refuse(call, Failure(Code::kResourceExhausted, TooLarge()));
  }
  if (prefix && call.body_.size() > kFramePrefixBytes + prefix->bytes) {
    return Refuse(call, Failure(Code::kUnimplemented, "the call has more than one message"));
  }
}

void Connection::OnRequestEnd(Call& call) {
  if (call.answered_ || call.arrived_) return;
  const auto message = ReadMessage(call.body_, call.encoding_, call.inflated_);
  if (!message) return Refuse(call, message.error());
  call.message_ = *message;
  call.arrived_ = true;
  handler_.Arrived(call.shared_from_this());
}

void Connection::OnPing() {
  const bool too_soon = last_ping_ != MonotonicTime{} && now_ - last_ping_ < kMinPingInterval;
  last_ping_ = now_;
  if (too_soon && ++ping_strikes_ > limits::kMaxPingStrikes) GoAway(NGHTTP2_ENHANCE_YOUR_CALM);
}

void Connection::OnStreamClosed(std::int32_t stream) {
  const auto found = calls_.find(stream);
  if (found == calls_.end()) return;
  const std::shared_ptr<Call> call = std::move(found->second);
  calls_.erase(found);
  call->connection_ = nullptr;
  called_at_ = now_;
  if (call->admitted_) handler_.Ended(*call, call->arrived_, call->answered_);
}

// ---- Its answer ----

void Connection::Refuse(Call& call, CallStatus status) {
  call.answered_ = true;
  call.status_ = std::move(status);
  SubmitRefusal(call);
}

// Without an answer before it the status is all there is.
void Connection::SubmitRefusal(Call& call) {
  call.submitted_ = true;
  const Trailers trailers(call.status_);
  std::vector<nghttp2_nv> headers = {kStatus200, kGrpc, kEncodings};
  trailers.AppendTo(headers);
  nghttp2_submit_response(link_.session(), call.stream_, headers.data(), headers.size(), nullptr);
}

void Connection::Give(Answer answer) {
  Call& call = *answer.call;
  if (call.connection_ != this || call.answered_) return;
  call.answered_ = answer.last;
  call.status_ = std::move(answer.status);
  if (answer.last && !Is(call.status_, Code::kOk) && !call.submitted_) return SubmitRefusal(call);
  if (call.out_.empty()) {
    call.out_ = std::move(answer.framed);
  } else {
    call.out_ += answer.framed;
  }
  if (call.submitted_) {
    nghttp2_session_resume_data(link_.session(), call.stream_);
    return;
  }
  call.submitted_ = true;
  const std::array headers = {kStatus200, kGrpc};
  const nghttp2_data_provider provider{.source = {.ptr = &call}, .read_callback = &Callbacks::ReadAnswer};
  nghttp2_submit_response(link_.session(), call.stream_, headers.data(), headers.size(), &provider);
}

ssize_t Connection::ReadAnswer(Call& call, std::uint8_t* to, std::size_t size, std::uint32_t* flags) {
  const std::size_t left = call.out_.size() - call.out_offset_;
  const std::size_t bytes = std::min(size, left);
  std::memcpy(to, call.out_.data() + call.out_offset_, bytes);
  call.out_offset_ += bytes;
  if (bytes < left) return static_cast<ssize_t>(bytes);
  call.out_.clear();
  call.out_offset_ = 0;
  if (!call.answered_) return bytes == 0 ? ssize_t{NGHTTP2_ERR_DEFERRED} : static_cast<ssize_t>(bytes);
  *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
  if (Is(call.status_, Code::kOk)) {
    nghttp2_submit_trailer(link_.session(), call.stream_, &kGrpcOk, 1);
  } else {
    const Trailers trailers(call.status_);
    std::vector<nghttp2_nv> headers;
    trailers.AppendTo(headers);
    nghttp2_submit_trailer(link_.session(), call.stream_, headers.data(), headers.size());
  }
  return static_cast<ssize_t>(bytes);
}

// ---- The connection ----

void Connection::Flush() {
  link_.Flush();
  if (leaving_ == Leaving::kFinal && calls_.empty() && !link_.wants_to_write()) link_.End();
}

void Connection::GoAway(std::uint32_t error) {
  leaving_ = Leaving::kFinal;
  if (error == NGHTTP2_NO_ERROR) {
    nghttp2_submit_goaway(link_.session(), NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(link_.session()),
                          error, nullptr, 0);
  } else {
    nghttp2_session_terminate_session(link_.session(), error);
  }
}

void Connection::Drain() {
  if (leaving_ == Leaving::kFinal) return;
  drained_at_ = now_;
  GoAway(NGHTTP2_NO_ERROR);
}

void Connection::Tick(MonotonicTime now, Duration longest_call) {
  now_ = now;
  if (!settled_ && now - came_ > kMaxSilence) link_.End();
  if (link_.session() == nullptr) return;
  if (!calls_.empty()) called_at_ = now;
  for (const auto& [stream, call] : calls_) {
    if (now - call->began_ <= longest_call) continue;
    call->answered_ = call->arrived_;  // as far as it will be; the caller's own fault when it has not arrived
    nghttp2_submit_rst_stream(link_.session(), NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
  }
  if (leaving_ == Leaving::kAnnounced) {
    // Calls that were on their way when this was said have come meanwhile.
    GoAway(NGHTTP2_NO_ERROR);
  } else if (leaving_ == Leaving::kNo && (now - came_ > kMaxAge || now - called_at_ > kMaxIdle)) {
    leaving_ = Leaving::kAnnounced;
    drained_at_ = now;
    nghttp2_submit_shutdown_notice(link_.session());
  }
  if (leaving_ != Leaving::kNo && now - drained_at_ > kGrace) link_.End();
  // A client without calls may not be listening at all, and is no burden.
  if (calls_.empty()) pinging_ = false;
  if (pinging_ && now - pinged_at_ > kPingTimeout) link_.End();
  if (!calls_.empty() && !pinging_ && now - received_at_ > kPingAfter) {
    pinging_ = true;
    pinged_at_ = now;
    nghttp2_submit_ping(link_.session(), NGHTTP2_FLAG_NONE, nullptr);
  }
}

}  // namespace strife::http2
