// The chain that makes the audit log tamper-evident: each entry's hash covers the entry and the hash before it.
//
//   hash(0) = SHA-256("strife audit log 1\n" log_id decided_before)
//   hash(n) = SHA-256(hash(n-1) sequence at event count actor peer subject detail)
//
// Numbers are big-endian: sequence, at (microseconds since 1970, two's complement) and decided_before 8 bytes, count 4,
// event 2. log_id is 16 bytes. Each text is its length in 2 bytes and then its bytes, so that no text can pass for the
// beginning of the next. Who keeps hash(n) can tell later whether anything up to n has been changed.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/sha256.h"
#include "env/audit_log.h"

namespace strife::audit {

// Computes the hashes of a chain, one after the other. For one thread at a time.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  Sha256 Genesis(const AuditStart& start);
  // `entry.hash` is not looked at.
  Sha256 HashOf(const Sha256& before, const AuditEntry& entry);

 private:
  struct Digest;

  Sha256 Compute();

  std::unique_ptr<Digest> digest_;
  std::vector<std::uint8_t> bytes_;  // of the entry at hand
};

// The end of a log, to which a store adds. For one thread at a time.
class Chain {
 public:
  Chain() = default;
  // `last`: where the log has got to; none: it is empty.
  Chain(const AuditStart& start, const std::optional<AuditEntry>& last);

  // The next entry: `record`, fit to be written, with its sequence and hash.
  AuditEntry Append(protocol::AuditRecord record);

  std::uint64_t sequence() const { return sequence_; }

 private:
  Hasher hasher_;
  std::uint64_t sequence_ = 0;
  Sha256 hash_{};
};

}  // namespace strife::audit
