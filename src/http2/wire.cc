#include "http2/wire.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <vector>

#include "base/limits.h"

namespace strife::http2 {
namespace {

std::unexpected<CallStatus> Bad(Code code, std::string message) {
  return std::unexpected(Failure(code, std::move(message)));
}

std::expected<std::string_view, CallStatus> Inflate(std::string_view bytes, std::string& inflated) {
  z_stream stream{};
  constexpr int kGzipOrZlib = 15 + 32;
  if (inflateInit2(&stream, kGzipOrZlib) != Z_OK) return Bad(Code::kInternal, "no memory to decompress the message");
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> owner(&stream, inflateEnd);
  std::vector<unsigned char> in(bytes.begin(), bytes.end());
  stream.next_in = in.data();
  stream.avail_in = static_cast<uInt>(in.size());
  int result = Z_OK;
  while (result == Z_OK && inflated.size() <= limits::kMaxMessageBytes) {
    const std::size_t had = inflated.size();
    inflated.resize(std::max<std::size_t>(2 * had, 1 << 14));
    stream.next_out = reinterpret_cast<Bytef*>(inflated.data() + had);
    stream.avail_out = static_cast<uInt>(inflated.size() - had);
    result = inflate(&stream, Z_NO_FLUSH);
    inflated.resize(inflated.size() - stream.avail_out);
  }
  if (inflated.size() > limits::kMaxMessageBytes) return Bad(Code::kResourceExhausted, TooLarge());
  if (result != Z_STREAM_END || stream.avail_in != 0) return Bad(Code::kInternal, "the compressed message is damaged");
  return inflated;
}

}  // namespace

std::string TooLarge() {
  return "the message is larger than the " + std::to_string(limits::kMaxMessageBytes) + " bytes that are taken";
}

std::string PercentEncoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (c >= ' ' && c <= '~' && c != '%') {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kDigits[byte >> 4];
    encoded += kDigits[byte & 15];
  }
  return encoded;
}

std::string Base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string PercentDecoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr == text.data() + i + 3) {
      decoded += static_cast<char>(value);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

std::string Base64Decoded(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string padded(text);
  padded.resize((text.size() + 3) / 4 * 4, '=');
  std::string bytes(padded.size() / 4 * 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(padded.data()), static_cast<int>(padded.size()));
  if (size < 0) return {};
  bytes.resize(static_cast<std::size_t>(size) - (padded.size() - text.size()));
  return bytes;
}

std::optional<Prefix> ReadPrefix(std::string_view body) {
  if (body.size() < kFramePrefixBytes) return std::nullopt;
  Prefix prefix{.compressed = body[0] != 0};
  for (std::size_t i = 1; i < kFramePrefixBytes; ++i) {
    prefix.bytes = prefix.bytes << 8 | static_cast<unsigned char>(body[i]);
  }
  return prefix;
}

std::expected<std::string_view, CallStatus> ReadMessage(std::string_view body, std::string_view encoding,
                                                        std::string& inflated) {
  const auto prefix = ReadPrefix(body);
  if (!prefix || body.size() < kFramePrefixBytes + prefix->bytes) {
    return Bad(Code::kInternal, "the call has ended before its message");
  }
  const std::string_view message = body.substr(kFramePrefixBytes);
  if (message.size() > prefix->bytes) return Bad(Code::kUnimplemented, "the call has more than one message");
  if (!prefix->compressed) return message;
  if (encoding != "gzip" && encoding != "deflate") {
    return Bad(Code::kUnimplemented, "messages may be compressed with gzip or deflate only");
  }
  return Inflate(message, inflated);
}

}  // namespace strife::http2
