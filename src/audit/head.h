// A head: how far a log had got at some time, in a few lines that its server signs and somebody else keeps.
//
//   strife audit head 1
//   server: spiffe://example.org/gateway/gateway
//   log: 5c1ab0d2-…
//   sequence: 52
//   hash: 9f…            (64 hexadecimal digits: hash(52), see chain.h)
//   at: 1764182412123456 (microseconds since 1970)
//   signature: …         (hexadecimal, over the lines above with their line feeds)
//   -----BEGIN CERTIFICATE-----
//   …                    (the server's, then its intermediates')
//
// Whoever keeps one notices later when a log was cut, exchanged or computed anew. Only the form is dealt with here;
// security/signature.h signs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "audit/finding.h"
#include "env/audit_log.h"

namespace strife::audit {

struct Head {
  std::string server;  // as its certificate names it
  Uuid log_id;
  std::uint64_t sequence = 0;
  Sha256 hash{};
  WallTime at;

  bool operator==(const Head&) const = default;
};

struct SignedHead {
  Head head;
  std::string signature;         // bytes
  std::string certificates_pem;  // the leaf first

  bool operator==(const SignedHead&) const = default;
};

// What is signed.
std::string StatementOf(const Head& head);
std::string Format(const SignedHead& signed_head);
// The heads of a file, one after the other; at least one. Accepts what Format writes and nothing else.
Result<std::vector<SignedHead>> ParseHeads(std::string_view text);

// Compares a log with heads of it. For one thread at a time.
class HeadCheck {
 public:
  // `findings` must outlive it.
  HeadCheck(const AuditStart& start, std::vector<Head> heads, Findings& findings);

  // REQUIRES: sequences ascend.
  void Take(const AuditEntry& entry);
  // Once, after the last record.
  void Conclude(std::uint64_t last_sequence);

 private:
  Findings& findings_;
  std::vector<Head> heads_;  // of this log, not met yet, by sequence, the least last
};

}  // namespace strife::audit
