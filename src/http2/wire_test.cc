#include "http2/wire.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "base/limits.h"

namespace strife::http2 {
namespace {

using namespace std::string_literals;

enum class Format { kGzip = 15 + 16, kZlib = 15 };

std::string Deflated(const std::string& text, Format format) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, static_cast<int>(format), 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

std::string Compressed(const std::string& text, Format format) {
  std::string framed = Framed(Deflated(text, format));
  framed[0] = 1;
  return framed;
}

// The code of what is wrong with it; 0 when nothing is.
int CodeOf(const std::string& body, const std::string& encoding = "identity") {
  std::string inflated;
  const auto message = ReadMessage(body, encoding, inflated);
  return message ? 0 : message.error().code;
}

TEST(PercentEncoded, TextAndPercentSigns_ComeThrough) {
  EXPECT_EQ(PercentEncoded("no such bank"), "no such bank");
  EXPECT_EQ(PercentEncoded("100 %\n\xc3\xa9"), "100 %25%0A%C3%A9");
  EXPECT_EQ(PercentEncoded(""), "");
}

TEST(Base64, OfEachLength_IsPadded) {
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("f"), "Zg==");
  EXPECT_EQ(Base64("fo"), "Zm8=");
  EXPECT_EQ(Base64("foo"), "Zm9v");
}

TEST(ReadMessage, OneMessage_IsRead) {
  std::string inflated;
  EXPECT_EQ(ReadMessage(Framed("hello"), "", inflated).value(), "hello");
  EXPECT_EQ(ReadMessage(Framed(""), "", inflated).value(), "");
}

TEST(ReadMessage, LessOrMoreThanOne_IsRefused) {
  EXPECT_EQ(CodeOf(""), 13);
  EXPECT_EQ(CodeOf("\0\0\0\0"s), 13);
  EXPECT_EQ(CodeOf(Framed("hello").substr(0, 9)), 13);
  EXPECT_EQ(CodeOf(Framed("hello") + Framed("again")), 12);
}

TEST(ReadMessage, Compressed_IsInflatedIfItIsOfAKnownKind) {
  const std::string text(100'000, 'x');
  for (const Format format : {Format::kGzip, Format::kZlib}) {
    std::string inflated;
    const std::string body = Compressed(text, format);
    EXPECT_EQ(ReadMessage(body, format == Format::kGzip ? "gzip" : "deflate", inflated).value(), text);
  }
  EXPECT_EQ(CodeOf(Compressed(text, Format::kGzip), "snappy"), 12);
  EXPECT_EQ(CodeOf(Compressed(text, Format::kGzip), ""), 12);
}

TEST(ReadMessage, DamagedCompression_IsRefused) {
  std::string body = Compressed(std::string(10'000, 'x'), Format::kGzip);
  std::string cut = body.substr(0, body.size() - 4);
  WriteFramePrefix(cut.data(), cut.size() - kFramePrefixBytes);
  cut[0] = 1;
  EXPECT_EQ(CodeOf(cut, "gzip"), 13);
  body[kFramePrefixBytes + 12] = static_cast<char>(body[kFramePrefixBytes + 12] ^ 0x55);
  EXPECT_EQ(CodeOf(body, "gzip"), 13);
  std::string nothing = Framed("");
  nothing[0] = 1;
  EXPECT_EQ(CodeOf(nothing, "gzip"), 13);
}

TEST(ReadMessage, SmallBombs_AreNotBlownUpBeyondTheLargestMessage) {
  EXPECT_EQ(CodeOf(Compressed(std::string(limits::kMaxMessageBytes, '\0'), Format::kGzip), "gzip"), 0);
  EXPECT_EQ(CodeOf(Compressed(std::string(limits::kMaxMessageBytes + 1, '\0'), Format::kGzip), "gzip"), 8);
  EXPECT_EQ(CodeOf(Compressed(std::string(100 * limits::kMaxMessageBytes, '\0'), Format::kGzip), "gzip"), 8);
}

TEST(RequestMemory, ALargeRequest_IsTakenWhileHalfIsFree) {
  RequestMemory memory(64'000);
  EXPECT_TRUE(memory.Take(0, 2000));
  EXPECT_FALSE(memory.Take(2000, 1000));  // a thirty-second part of what is left
  memory.Return(2000);
  EXPECT_TRUE(memory.Take(0, 2000));
}

TEST(RequestMemory, HoweverMuchLargeOnesHold_ASmallOneHasRoom) {
  RequestMemory memory(1 << 20);
  for (int i = 0; i < 10'000; ++i) memory.Take(0, 1 << 13);
  EXPECT_FALSE(memory.Take(0, 1 << 13));
  EXPECT_TRUE(memory.Take(0, 1000));
}

}  // namespace
}  // namespace strife::http2
