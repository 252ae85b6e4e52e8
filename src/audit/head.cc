#include "audit/head.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "audit/hex.h"
#include "base/text.h"

namespace strife::audit {
namespace {

constexpr std::string_view kMark = "strife audit head 1\n";
constexpr std::string_view kPemEnd = "-----END CERTIFICATE-----\n";
constexpr std::string_view kPemBegin = "-----BEGIN CERTIFICATE-----\n";
constexpr std::size_t kMaxServerBytes = 1024;
constexpr std::int64_t kLastMicrosecond = 253'402'300'799'999'999;  // of the year 9999

// Takes lines off the front of a text.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  bool empty() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  bool Skip(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  // The value of the line "name: value".
  std::optional<std::string_view> Value(std::string_view name) {
    const std::size_t end = rest_.find('\n');
    if (end == std::string_view::npos || !rest_.starts_with(name) || !rest_.substr(name.size()).starts_with(": ")) {
      return std::nullopt;
    }
    const std::string_view value = rest_.substr(name.size() + 2, end - name.size() - 2);
    rest_.remove_prefix(end + 1);
    return value;
  }
  // Certificates, as far as they go.
  std::string_view Pem() {
    const std::string_view all = rest_;
    while (rest_.starts_with(kPemBegin)) {
      const std::size_t end = rest_.find(kPemEnd);
      if (end == std::string_view::npos) break;
      rest_.remove_prefix(end + kPemEnd.size());
    }
    return all.substr(0, all.size() - rest_.size());
  }

 private:
  std::string_view rest_;
};

// A whole number from 0, in its shortest form.
std::optional<std::int64_t> Number(std::optional<std::string_view> text) {
  if (!text) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || value < 0 || std::to_string(value) != *text) return std::nullopt;
  return value;
}

std::optional<SignedHead> Parse(Lines& lines) {
  if (!lines.Skip(kMark)) return std::nullopt;
  const auto server = lines.Value("server");
  const auto log_text = lines.Value("log");
  const auto log_id = log_text ? Uuid::Parse(*log_text) : std::nullopt;
  const auto sequence = Number(lines.Value("sequence"));
  const auto hash_text = lines.Value("hash");
  const auto hash = hash_text ? FromHex(*hash_text) : std::nullopt;
  const auto at = Number(lines.Value("at"));
  const auto signature_text = lines.Value("signature");
  const auto signature = signature_text ? FromHex(*signature_text) : std::nullopt;
  if (!server || server->size() > kMaxServerBytes || !IsPrintableUtf8(*server) || !log_id || !sequence || !hash ||
      hash->size() != std::tuple_size_v<Sha256> || !at || *at > kLastMicrosecond || !signature || signature->empty()) {
    return std::nullopt;
  }
  SignedHead out;
  out.head.server = *server;
  out.head.log_id = *log_id;
  out.head.sequence = static_cast<std::uint64_t>(*sequence);
  std::ranges::transform(*hash, out.head.hash.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
  out.head.at = WallTime(Duration(*at));
  out.signature = *signature;
  out.certificates_pem = lines.Pem();
  if (out.certificates_pem.empty() || log_id->ToString() != *log_text) return std::nullopt;
  return out;
}

std::string Number(std::uint64_t number) { return std::to_string(number); }

}  // namespace

std::string StatementOf(const Head& head) {
  return std::string(kMark) + "server: " + head.server + "\nlog: " + head.log_id.ToString() +
         "\nsequence: " + Number(head.sequence) + "\nhash: " + ToHex(head.hash) +
         "\nat: " + std::to_string(head.at.time_since_epoch().count()) + "\n";
}

std::string Format(const SignedHead& signed_head) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(signed_head.signature.data());
  return StatementOf(signed_head.head) + "signature: " + ToHex({bytes, signed_head.signature.size()}) + "\n" +
         signed_head.certificates_pem;
}

Result<std::vector<SignedHead>> ParseHeads(std::string_view text) {
  std::vector<SignedHead> heads;
  Lines lines(text);
  do {
    auto head = Parse(lines);
    if (!head) {
      return Fail(ErrorCode::kMalformed,
                  "head " + Number(heads.size() + 1) + " of the file is none, as strife audit head writes it");
    }
    heads.push_back(*std::move(head));
  } while (!lines.empty());
  return heads;
}

HeadCheck::HeadCheck(const AuditStart& start, std::vector<Head> heads, Findings& findings)
    : findings_(findings), heads_(std::move(heads)) {
  std::erase_if(heads_, [&](const Head& head) {
    if (head.log_id == start.log_id) return false;
    findings_.Add(0, "the log is " + start.log_id.ToString() + ", and its server has signed a head of log " +
                         head.log_id.ToString() + ": it has been exchanged");
    return true;
  });
  std::ranges::sort(heads_, std::ranges::greater(), &Head::sequence);
}

void HeadCheck::Take(const AuditEntry& entry) {
  for (; !heads_.empty() && heads_.back().sequence <= entry.sequence; heads_.pop_back()) {
    const Head& head = heads_.back();
    if (head.sequence == 0) continue;  // of an empty log
    if (head.sequence < entry.sequence) {
      findings_.Add(head.sequence, "record " + Number(head.sequence) + ", of which there is a head, is missing");
    } else if (head.hash != entry.hash) {
      findings_.Add(entry.sequence, "record " + Number(entry.sequence) +
                                        " is another one than in the head its server has signed: it, or what comes "
                                        "before it, has been changed and the hashes computed anew");
    }
  }
}

void HeadCheck::Conclude(std::uint64_t last_sequence) {
  std::uint64_t reached = 0;
  for (const Head& head : heads_) reached = std::max(reached, head.sequence);
  if (reached <= last_sequence) return;
  findings_.Add(last_sequence + 1, "the log ends with record " + Number(last_sequence) + ", and a head says it had " +
                                       Number(reached) + ": its end has been cut off");
}

}  // namespace strife::audit
