// How gRPC writes what HTTP/2 has no place for: statuses in trailers, messages with a prefix, perhaps compressed.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "http2/call.h"

namespace strife::http2 {

// For the header grpc-message: what is not printable ASCII, and '%', as %XX.
std::string PercentEncoded(std::string_view text);
// And back; what is no code stays as it is.
std::string PercentDecoded(std::string_view text);
// For headers whose names end with -bin.
std::string Base64(std::string_view bytes);
// And back, with or without padding; empty when it is not base64.
std::string Base64Decoded(std::string_view text);

// What is said of a message of more than limits::kMaxMessageBytes.
std::string TooLarge();

// What the first bytes of a body say of its message; nullopt when there are too few.
struct Prefix {
  bool compressed = false;
  std::uint32_t bytes = 0;
};
std::optional<Prefix> ReadPrefix(std::string_view body);

// A complete body's only message. A compressed one, in `encoding` ("gzip" or "deflate"), is written to `inflated`, at
// most limits::kMaxMessageBytes of it.
std::expected<std::string_view, CallStatus> ReadMessage(std::string_view body, std::string_view encoding,
                                                        std::string& inflated);

}  // namespace strife::http2
