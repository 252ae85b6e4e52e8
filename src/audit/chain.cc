#include "audit/chain.h"

#include <openssl/evp.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/assert.h"
#include "base/limits.h"
#include "base/text.h"

namespace strife::audit {
namespace {

constexpr std::string_view kGenesisMark = "strife audit log 1\n";

template <std::size_t kBytes>
void PutNumber(std::vector<std::uint8_t>& bytes, std::uint64_t value) {
  for (std::size_t i = kBytes; i > 0; --i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * (i - 1))));
}

void PutBytes(std::vector<std::uint8_t>& bytes, const auto& data) {
  bytes.insert(bytes.end(), data.begin(), data.end());
}

void PutText(std::vector<std::uint8_t>& bytes, std::string_view text) {
  STRIFE_ASSERT(text.size() <= 0xffff);
  PutNumber<2>(bytes, text.size());
  PutBytes(bytes, text);
}

// Nearly all texts are plain ASCII within the limit, and are left alone.
void MakeFit(std::string& text, std::size_t max_bytes) {
  const bool plain = std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
  if (!plain || text.size() > max_bytes) text = Sanitize(text, max_bytes);
}

}  // namespace

struct Hasher::Digest {
  EVP_MD_CTX* context = EVP_MD_CTX_new();

  Digest() { STRIFE_ASSERT(context != nullptr); }
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  ~Digest() { EVP_MD_CTX_free(context); }

  // Looking it up costs more than a hash: once for the process.
  static const EVP_MD* Algorithm() {
    static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    return algorithm;
  }
};

Hasher::Hasher() : digest_(std::make_unique<Digest>()) {}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

Sha256 Hasher::Compute() {
  Sha256 hash;
  STRIFE_ASSERT(EVP_DigestInit_ex2(digest_->context, Digest::Algorithm(), nullptr) == 1);
  STRIFE_ASSERT(EVP_DigestUpdate(digest_->context, bytes_.data(), bytes_.size()) == 1);
  STRIFE_ASSERT(EVP_DigestFinal_ex(digest_->context, hash.data(), nullptr) == 1);
  return hash;
}

Sha256 Hasher::Genesis(const AuditStart& start) {
  bytes_.clear();
  PutBytes(bytes_, kGenesisMark);
  PutBytes(bytes_, start.log_id.bytes);
  PutNumber<8>(bytes_, start.decided_before);
  return Compute();
}

Sha256 Hasher::HashOf(const Sha256& before, const AuditEntry& entry) {
  const protocol::AuditRecord& record = entry.record;
  bytes_.clear();
  PutBytes(bytes_, before);
  PutNumber<8>(bytes_, entry.sequence);
  PutNumber<8>(bytes_, static_cast<std::uint64_t>(record.at.time_since_epoch().count()));
  PutNumber<2>(bytes_, static_cast<std::uint16_t>(record.event));
  PutNumber<4>(bytes_, record.count);
  for (const std::string* text : {&record.actor, &record.peer, &record.subject, &record.detail}) {
    PutText(bytes_, *text);
  }
  return Compute();
}

Chain::Chain(const AuditStart& start, const std::optional<AuditEntry>& last)
    : sequence_(last ? last->sequence : 0), hash_(last ? last->hash : hasher_.Genesis(start)) {}

AuditEntry Chain::Append(protocol::AuditRecord record) {
  MakeFit(record.actor, limits::kMaxAuditActorBytes);
  MakeFit(record.peer, limits::kMaxAuditPeerBytes);
  MakeFit(record.subject, limits::kMaxAuditSubjectBytes);
  MakeFit(record.detail, limits::kMaxAuditDetailBytes);
  AuditEntry entry{.sequence = sequence_ + 1, .record = std::move(record)};
  entry.hash = hasher_.HashOf(hash_, entry);
  sequence_ = entry.sequence;
  hash_ = entry.hash;
  return entry;
}

}  // namespace strife::audit
