#include "audit/chain_check.h"

#include <algorithm>
#include <set>
#include <utility>

namespace strife::audit {
namespace {

// To find where a record was written, every place is tried with every hash; so many records at most are explained that
// way.
constexpr std::size_t kMaxExplained = 32;

std::string Number(std::uint64_t number) { return std::to_string(number); }

}  // namespace

ChainCheck::ChainCheck(const AuditStart& start, Findings& findings)
    : findings_(findings), hash_(hasher_.Genesis(start)) {}

void ChainCheck::Add(std::uint64_t sequence, std::string what) {
  found_ = true;
  findings_.Add(sequence, std::move(what));
}

void ChainCheck::NoteGap(std::uint64_t next) {
  const std::uint64_t first = sequence_ + 1, missing = next - first;
  if (missing > malformed_) {
    Add(first, missing == 1
                   ? "record " + Number(first) + " is missing: it has been deleted"
                   : "records " + Number(first) + " to " + Number(next - 1) + " are missing: they have been deleted");
  }
  hash_known_ = false;
}

void ChainCheck::Take(const AuditEntry& entry) {
  if (entry.sequence > sequence_ + 1) NoteGap(entry.sequence);
  malformed_ = 0;
  // Behind a gap there is nothing to compare with: the record vouches for what follows it only.
  if (hash_known_) {
    const Sha256 computed = hasher_.HashOf(hash_, entry);
    if (computed != entry.hash) {
      if (suspects_.size() < kMaxExplained) {
        suspects_.push_back({entry, hash_, computed});
      } else {
        Add(entry.sequence, "record " + Number(entry.sequence) + " does not follow from the one before it");
      }
    }
  }
  sequence_ = entry.sequence;
  hash_ = entry.hash;
  hash_known_ = true;
}

void ChainCheck::TakeMalformed(std::string why) {
  ++malformed_;
  hash_known_ = false;
  Add(sequence_ + malformed_, std::move(why));
}

std::string ChainCheck::Explain(const Suspect& suspect) {
  std::vector<Sha256> hashes;
  std::set<std::uint64_t> places;
  for (const Suspect& other : suspects_) {
    hashes.insert(hashes.end(), {other.before, other.entry.hash, other.computed});
    places.insert({other.entry.sequence - 1, other.entry.sequence, other.entry.sequence + 1});
  }
  const std::uint64_t own = suspect.entry.sequence;
  AuditEntry moved = suspect.entry;
  const auto written_as = [&](std::uint64_t sequence) {
    moved.sequence = sequence;
    return std::ranges::any_of(hashes, [&](const Sha256& hash) { return hasher_.HashOf(hash, moved) == moved.hash; });
  };
  // What stands before it has been altered, not the record itself.
  if (written_as(own)) return {};
  for (const std::uint64_t place : places) {
    if (place == own || !written_as(place)) continue;
    return "record " + Number(own) + " was written as record " + Number(place) + ": the log has been reordered";
  }
  if (own == 1) return "record 1 does not match its hash: it, or the log's id in audit_start, has been edited";
  return "record " + Number(own) + " does not match its hash: it has been edited, or record " + Number(own - 1) +
         " has, together with its hash";
}

void ChainCheck::Conclude() {
  for (const Suspect& suspect : suspects_) {
    if (std::string why = Explain(suspect); !why.empty()) Add(suspect.entry.sequence, std::move(why));
  }
  // A fault must not vanish because each record has found another one to blame.
  if (!found_ && !suspects_.empty()) {
    const std::uint64_t first = suspects_.front().entry.sequence;
    Add(first, "record " + Number(first) + " does not follow from the one before it");
  }
}

}  // namespace strife::audit
