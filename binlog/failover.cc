#include "binlog/failover.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/time_text.h"

namespace outboxd::binlog {
namespace {

// Whether `missing` are the last numbers of their origin, as far as they are known.
bool IsTail(const GtidSet::Intervals& missing, const GtidSet::Intervals* server_has) {
  return server_has == nullptr || server_has->back().last < missing.front().first;
}

bool Lacks(const HostAnswer& answer) { return answer.lack != Lack::kNothing; }

// It ends the run, unless another host can go on.
bool IsVerdict(const HostAnswer& answer) {
  return Lacks(answer) || answer.error.kind == ErrorKind::kGone ||
         answer.error.kind == ErrorKind::kDiverged;
}

// It lacks transactions, and may be about to apply them: the account is not shown.
bool IsHidden(const HostAnswer& answer) {
  return Lacks(answer) && answer.error.kind == ErrorKind::kDenied;
}

// The verdict on one that may still get what it lacks.
Failure<ErrorKind> MayGetThem(const HostAnswer& verdict) {
  if (verdict.replication.group.empty()) {
    return Fail(ErrorKind::kDisconnected, "{}; it still replicates and may get them",
                verdict.error.message)
        .Hint("STOP REPLICA on it once it is to be the source");
  }
  return Fail(ErrorKind::kDisconnected, "{}; it is a member of a group and may get them",
              verdict.error.message)
      .Hint(
          "wait until it has applied what it received; should members that it cannot reach be lost"
          " for good, remove them from the group with group_replication_force_members");
}

// How much an answer leaves to hope for: by itself, by an operator's doing, or nothing. A verdict
// says more than a server that does not fit.
int HopeOf(ErrorKind kind) {
  if (kind == ErrorKind::kDisconnected) return 4;
  if (kind == ErrorKind::kUnknown) return 3;
  if (kind == ErrorKind::kDenied || kind == ErrorKind::kHandshake) return 2;
  return kind == ErrorKind::kGone || kind == ErrorKind::kDiverged ? 1 : 0;
}

// Whether a host may get what it lacks: it applies it, or it receives from a server that may have
// it. One that lacks it as well and gets it from nowhere has not: what receives from the new source
// of a failover never gets what the failover lost.
bool MayCatchUp(std::span<const HostAnswer> answers) {
  std::set<std::string_view> without;  // Servers that lack it, so far without hope.
  for (const HostAnswer& answer : answers) {
    if (Lacks(answer) && !answer.replication.is_applying) without.insert(answer.server_uuid);
  }
  const auto gets_it = [&without](const HostAnswer& answer) {
    return std::ranges::any_of(answer.replication.sources, [&without](const std::string& source) {
      return source.empty() || !without.contains(source);
    });
  };
  // Hope spreads along chains of replicas, one more link each time.
  for (bool spreads = true; spreads;) {
    spreads = false;
    for (const HostAnswer& answer : answers) {
      if (without.contains(answer.server_uuid) && gets_it(answer)) {
        spreads = without.erase(answer.server_uuid) > 0;
      }
    }
  }
  return std::ranges::any_of(answers, [&without](const HostAnswer& answer) {
    return Lacks(answer) && !without.contains(answer.server_uuid);
  });
}

}  // namespace

Comparison CompareHistories(const GtidSet& have, const GtidSet& server_has,
                            std::string_view server_uuid, std::string_view former_uuid) {
  Comparison comparison{Lack::kNothing, have.Minus(server_has)};
  if (comparison.missing.empty()) return comparison;
  comparison.lack = Lack::kTail;
  for (const auto& [origin, missing] : comparison.missing.origins()) {
    const std::string uuid = ToText(origin.uuid);
    if (uuid == server_uuid) {
      comparison.lack = Lack::kOwn;
      return comparison;
    }
    const auto found = server_has.origins().find(origin);
    const auto* others = found == server_has.origins().end() ? nullptr : &found->second;
    if (uuid != former_uuid || !IsTail(missing, others)) comparison.lack = Lack::kOther;
  }
  if (have.Intersect(server_has).empty()) comparison.lack = Lack::kDisjoint;
  return comparison;
}

GtidSet OfUnseenOrigins(const GtidSet& have, const GtidSet& server_has) {
  GtidSet unseen;
  for (const auto& [origin, intervals] : server_has.origins()) {
    const bool is_seen = std::ranges::any_of(
        have.origins(), [&origin](const auto& entry) { return entry.first.uuid == origin.uuid; });
    if (is_seen) continue;
    for (const GtidSet::Interval& interval : intervals) unseen.Add(origin, interval);
  }
  return unseen;
}

Result<GtidSet> ParseOwnedGtids(std::string_view text) {
  std::string gtids;
  bool in_session = false;
  for (const char c : text) {
    if (c == '#') in_session = true;
    if (c == ':' || c == ',' || c == '\n') in_session = false;
    if (!in_session) gtids += c;
  }
  return GtidSet::Parse(gtids);
}

Result<void> CompareLastTransaction(const KnownHistory& known, std::uint64_t server_us) {
  if (!known.last_gtid || known.last_commit_us == 0 || server_us == 0) return {};
  if (known.last_commit_us == server_us) return {};
  return Fail(ErrorKind::kDiverged,
              "transaction {} was committed at {} when it was read, but at {} by the server's log: "
              "the server lost the end of its log and gave the GTID to another transaction",
              ToText(*known.last_gtid), FineTimeText(known.last_commit_us), FineTimeText(server_us))
      .Hint(
          "compare event table and topic, then choose a place with 'outboxd position set'; "
          "sync_binlog = 1 keeps it from happening again");
}

Error MostHopeful(std::span<const HostAnswer> answers) {
  const HostAnswer& best = *std::ranges::max_element(
      answers, {}, [](const HostAnswer& answer) { return HopeOf(answer.error.kind); });
  std::string others;
  for (const HostAnswer& answer : answers) {
    if (&answer == &best || answer.error.message == best.error.message) continue;
    others += fmt::format("{}; ", answer.error.message);
  }
  return {best.error.kind, others + best.error.message, best.error.hint};
}

Result<std::size_t> HostChoice::Decide(std::span<const HostAnswer> answers, TimePoint now) {
  const auto verdict = std::ranges::find_if(answers, IsVerdict);
  if (verdict == answers.end()) {
    since_.reset();
    return std::unexpected(MostHopeful(answers));
  }
  if (!since_) since_ = now;
  const auto may_change = [](const HostAnswer& answer) {
    return Lacks(answer) || !IsVerdict(answer);
  };
  const bool is_catching_up = MayCatchUp(answers);
  const bool is_early = now - *since_ < lag_timeout_ && std::ranges::any_of(answers, may_change);
  if (is_early || is_catching_up) {
    if (!is_early) return MayGetThem(*verdict);
    return Fail(ErrorKind::kDisconnected, "{}", verdict->error.message);
  }
  const auto hidden = std::ranges::find_if(answers, IsHidden);
  if (hidden != answers.end()) return std::unexpected(hidden->error);
  const HostAnswer* best = nullptr;
  for (const HostAnswer& answer : answers) {
    if (answer.lack != Lack::kTail) continue;
    if (best == nullptr || answer.missing < best->missing) best = &answer;
  }
  if (best != nullptr) return static_cast<std::size_t>(best - answers.data());
  return std::unexpected(MostHopeful(answers));
}

}  // namespace outboxd::binlog
