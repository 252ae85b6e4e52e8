#include "verify/report.h"

#include <utility>

namespace strife::verify {

void Findings::Add(invariant::Violations found) {
  for (invariant::Violation& violation : found) {
    ++violation_count;
    ++violations_by_invariant[violation.invariant];
    if (violations.size() < kMaxListedViolations) violations.push_back(std::move(violation));
  }
}

void Findings::Add(Findings others) {
  violation_count += others.violation_count;
  for (const auto& [name, count] : others.violations_by_invariant) violations_by_invariant[name] += count;
  for (invariant::Violation& violation : others.violations) {
    if (violations.size() < kMaxListedViolations) violations.push_back(std::move(violation));
  }
}

}  // namespace strife::verify
