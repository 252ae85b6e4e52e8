// What operators have suspended, to be asked by every call.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "env/gateway_store.h"

namespace strife::gateway {

// Thread-safe. There is one writer at a time: first whoever loads, then the engine's thread.
class Suspensions {
 public:
  // One that has become durable.
  void Apply(const SuspensionRecord& record) {
    auto next = std::make_shared<Map>(*all_.load());
    if (record.suspended) {
      next->insert_or_assign(std::pair(record.kind, record.name), record);
    } else {
      next->erase(std::pair(record.kind, record.name));
    }
    all_.store(std::move(next));
  }

  bool Has(SuspendedKind kind, const std::string& name) const {
    const auto all = all_.load();
    return !all->empty() && all->contains(std::pair(kind, name));
  }
  std::optional<SuspensionRecord> Find(SuspendedKind kind, const std::string& name) const {
    const auto all = all_.load();
    const auto found = all->find(std::pair(kind, name));
    if (found == all->end()) return std::nullopt;
    return found->second;
  }
  std::vector<SuspensionRecord> All(SuspendedKind kind) const {
    std::vector<SuspensionRecord> found;
    const auto all = all_.load();
    for (const auto& [key, record] : *all) {
      if (key.first == kind) found.push_back(record);
    }
    return found;
  }

 private:
  using Map = std::map<std::pair<SuspendedKind, std::string>, SuspensionRecord>;

  std::atomic<std::shared_ptr<const Map>> all_ = std::make_shared<const Map>();
};

}  // namespace strife::gateway
