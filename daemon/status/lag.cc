#include "daemon/status/lag.h"

#include <algorithm>

namespace outboxd {

std::optional<LagFacts::Duration> LagAfter(const LagFacts& facts, LagFacts::Duration elapsed) {
  constexpr LagFacts::Duration kLeast{1};
  if (facts.oldest) return std::max(*facts.oldest + elapsed, kLeast);
  if (facts.proven_for > elapsed) return LagFacts::Duration{0};
  if (!facts.done) return std::nullopt;
  return std::max(*facts.done + elapsed, kLeast);
}

}  // namespace outboxd
