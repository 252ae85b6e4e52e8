// Tells whether a log's records form the chain they were written as, and which of them do not.
//
// Each record's hash covers the record and the hash before it. So a change shows at the record itself, or, where its
// hash was computed anew, at the next one; only a chain that was computed anew up to its end shows nothing, which is
// what heads are for (head.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "audit/chain.h"
#include "audit/finding.h"

namespace strife::audit {

// For one thread at a time. Memory is bounded, however much is wrong.
class ChainCheck {
 public:
  // `findings` must outlive it.
  ChainCheck(const AuditStart& start, Findings& findings);

  // REQUIRES: sequences ascend.
  void Take(const AuditEntry& entry);
  // In place of the next record: a row that cannot be read, and why.
  void TakeMalformed(std::string why);
  // Once, after the last.
  void Conclude();

  std::uint64_t last_sequence() const { return sequence_; }
  const Sha256& last_hash() const { return hash_; }

 private:
  // A record that does not follow from the one before it.
  struct Suspect {
    AuditEntry entry;
    Sha256 before;    // hash stored with the record before
    Sha256 computed;  // what its own hash would have to be
  };

  void Add(std::uint64_t sequence, std::string what);
  void NoteGap(std::uint64_t next);
  // Why it does not follow; empty when the fault is not its own.
  std::string Explain(const Suspect& suspect);

  Findings& findings_;
  Hasher hasher_;
  bool found_ = false;  // something that is wrong
  std::uint64_t sequence_ = 0;
  Sha256 hash_{};
  bool hash_known_ = true;  // whether hash_ is that of the record before the next one
  std::uint64_t malformed_ = 0;
  std::vector<Suspect> suspects_;
};

}  // namespace strife::audit
