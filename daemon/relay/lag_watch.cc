#include "daemon/relay/lag_watch.h"

#include <algorithm>
#include <utility>

#include "binlog/log_file_name.h"

namespace outboxd {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr int kProvingHeartbeats = 3;

microseconds Since(Clock::TimePoint then, Clock::TimePoint now) {
  return std::chrono::duration_cast<microseconds>(now - then);
}

microseconds Between(std::uint64_t then_us, std::uint64_t now_us) {
  return microseconds(static_cast<std::int64_t>(now_us - then_us));
}

bool Reaches(const AcknowledgedPlace& place, const binlog::LogEnd& end) {
  if (place.file == end.file) return place.offset >= end.offset;
  return binlog::IsBefore(end.file, place.file);
}

}  // namespace

LagWatch::LagWatch(const DeliveryTracker& tracker, const ServerClock& server_clock,
                   const Clock& clock, Options options)
    : tracker_(tracker), server_clock_(server_clock), clock_(clock), options_(options) {}

void LagWatch::OnOpened(const std::string& server_uuid) {
  const std::lock_guard lock(mutex_);
  last_heartbeat_.reset();
  if (std::exchange(server_uuid_, server_uuid) != server_uuid) heartbeats_count_ = false;
}

void LagWatch::OnStartOver() {
  const std::lock_guard lock(mutex_);
  last_heartbeat_.reset();
  log_end_.reset();
  proven_until_ = {};
}

void LagWatch::OnHeartbeat(const binlog::LogEnd& place) {
  const bool is_acknowledged = tracker_.AllAcknowledged();
  const Clock::TimePoint now = clock_.Now();
  const std::lock_guard lock(mutex_);
  const bool is_there_still = last_heartbeat_ && last_heartbeat_->place == place;
  const int count = is_there_still ? last_heartbeat_->count + 1 : 1;
  if (count >= kProvingHeartbeats && is_acknowledged && heartbeats_count_ && !is_away_) {
    const Clock::TimePoint done = last_heartbeat_->at;
    Prove(done, done + std::max(options_.proof_age_max, 3 * options_.heartbeat));
  }
  last_heartbeat_ = {place, count, now};
}

void LagWatch::OnLogEnd(LogEndAnswer answer) {
  const std::lock_guard lock(mutex_);
  if (answer.server_uuid != server_uuid_) return;
  heartbeats_count_ = answer.standing == binlog::ReplicaStanding::kNone;
  if (answer.standing == binlog::ReplicaStanding::kBehind) proven_until_ = {};
  log_end_ = std::move(answer);
}

void LagWatch::OnRefusal(const std::string& server_uuid) {
  const std::lock_guard lock(mutex_);
  if (server_uuid == server_uuid_) heartbeats_count_ = true;
}

void LagWatch::Prove(Clock::TimePoint done, Clock::TimePoint until) {
  done_ = done_ ? std::max(*done_, done) : done;
  proven_until_ = std::max(proven_until_, until);
}

void LagWatch::ProveByLogEnd(const DeliveryStanding& standing, Clock::TimePoint now) {
  if (!log_end_ || log_end_->standing == binlog::ReplicaStanding::kBehind) return;
  if (now - log_end_->asked_at > options_.proof_age_max) return;
  const auto& place = standing.place;
  if (!place || place->server_uuid != log_end_->server_uuid) return;
  if (!Reaches(*place, log_end_->end)) return;
  Prove(log_end_->asked_at, log_end_->asked_at + options_.proof_age_max);
}

microseconds LagWatch::AgeOf(SeenCommit& seen, std::uint64_t commit_us,
                             Clock::TimePoint now) const {
  if (seen.commit_us != commit_us) seen = {commit_us, now};
  return std::max(Between(commit_us, server_clock_.Now()), Since(seen.since, now));
}

LagFacts LagWatch::Facts(bool is_away, std::optional<std::uint64_t> read_begun_us) {
  const std::lock_guard lock(mutex_);
  const DeliveryStanding standing = tracker_.standing();
  const Clock::TimePoint now = clock_.Now();
  is_away_ = is_away;
  LagFacts facts;
  if (read_begun_us == 0) return facts;
  if (read_begun_us) {
    facts.oldest = std::max(Between(*read_begun_us, clock_.WallMicroseconds()), microseconds{0});
    done_ = now - *facts.oldest;
    return facts;
  }
  const bool may_be_proven = !is_away && !standing.oldest_commit_us;
  if (may_be_proven) ProveByLogEnd(standing, now);
  if (may_be_proven && now < proven_until_) facts.proven_for = Since(now, proven_until_);
  if (standing.oldest_commit_us.value_or(0) != 0) {
    facts.oldest = AgeOf(oldest_, *standing.oldest_commit_us, now);
  }
  if (done_) facts.done = Since(*done_, now);
  if (standing.passed_commit_us != 0) {
    const microseconds passed = AgeOf(passed_, standing.passed_commit_us, now);
    facts.done = facts.done ? std::min(*facts.done, passed) : passed;
  }
  return facts;
}

}  // namespace outboxd
