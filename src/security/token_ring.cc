#include "security/token_ring.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/limits.h"

namespace strife::security {
namespace {

std::vector<std::string> Missing(const std::vector<std::string>& these, const std::vector<std::string>& from) {
  std::vector<std::string> missing;
  std::ranges::set_difference(these, from, std::back_inserter(missing));
  return missing;
}

}  // namespace

TokenRing::Loaded::Loaded(const std::shared_ptr<const TokenKeys>& loaded, const TokenScope& scope)
    : keys(loaded), signer(loaded, scope), verifier(loaded, scope), cache(verifier, limits::kMaxVerifiedTokens) {}

Result<std::unique_ptr<TokenRing>> TokenRing::Open(std::filesystem::path directory, TokenScope scope,
                                                   Duration token_lifetime, const Now& now) {
  std::unique_ptr<TokenRing> ring(new TokenRing(std::move(directory), std::move(scope), token_lifetime));
  if (auto loaded = ring->Reload(now); !loaded) return std::unexpected(loaded.error());
  return ring;
}

Result<TokenRing::Change> TokenRing::Reload(const Now& now) {
  auto keys = TokenKeys::LoadOrCreate(directory_, now.wall);
  if (!keys) return std::unexpected(keys.error());
  const auto before = keys_.load();
  const std::vector<std::string> old_kids = before ? before->keys->kids() : std::vector<std::string>{};
  const std::vector<std::string> kids = (*keys)->kids();
  Change change{Missing(kids, old_kids), Missing(old_kids, kids), (*keys)->signing_kid()};
  if (before && change.empty()) return change;  // what has been verified stays so
  keys_.store(std::make_shared<const Loaded>(*keys, scope_));
  for (const std::string& kid : change.retired) superseded_.erase(kid);
  superseded_.erase(change.signing_kid);
  for (const std::string& kid : kids) {
    if (kid != change.signing_kid) superseded_.emplace(kid, now.monotonic);
  }
  return change;
}

Result<TokenRing::Change> TokenRing::Refresh(const Now& now) {
  for (const auto& [kid, since] : superseded_) {
    if (now.monotonic - since < token_lifetime_ + kTokenClockSkew) continue;
    Status removed = TokenKeys::Remove(directory_, kid);
    if (!removed && removed.error().code != ErrorCode::kNotFound) return std::unexpected(removed.error());
  }
  const auto kids = TokenKeys::List(directory_);
  if (kids && *kids == keys_.load()->keys->kids()) return Change{{}, {}, kids->back()};
  return Reload(now);
}

}  // namespace strife::security
