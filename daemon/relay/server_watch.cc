#include "daemon/relay/server_watch.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace outboxd {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr milliseconds kInterval{5'000};
// While the acknowledged place is not known; the server is not asked.
constexpr milliseconds kPlaceCheck{1'000};
constexpr milliseconds kAnswerAgeMax{30'000};
constexpr microseconds kClockDifferenceTold{1'000'000};

}  // namespace

ServerWatch::ServerWatch(binlog::ServerProbe& probe, const DeliveryTracker& tracker, LagWatch& lag,
                         ServerClock& server_clock, const Clock& clock)
    : probe_(probe),
      tracker_(tracker),
      lag_(lag),
      server_clock_(server_clock),
      clock_(clock),
      log_(probe, server_clock, clock) {}

Result<void> ServerWatch::Run() {
  while (true) {
    const milliseconds pause = Ask();
    std::unique_lock lock(mutex_);
    if (stop_changed_.wait_for(lock, pause, [this] { return stop_; })) return {};
  }
}

void ServerWatch::RequestStop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stop_changed_.notify_all();
  probe_.Interrupt();
}

ServerFacts ServerWatch::facts() const {
  const auto place = tracker_.standing().place;
  const std::lock_guard lock(mutex_);
  ServerFacts facts;
  if (answer_ && clock_.Now() - answer_->asked_at <= kAnswerAgeMax) facts = answer_->facts;
  if (!place || !answer_ || place->server_uuid != answer_->server_uuid) facts.lag_bytes.reset();
  facts.log = place && place->server_uuid == kept_of_ ? kept_ : std::nullopt;
  return facts;
}

milliseconds ServerWatch::Ask() {
  const auto asked_at = clock_.Now();
  const auto place = tracker_.standing().place;
  if (!place) {
    Keep(std::nullopt);
    return kPlaceCheck;
  }
  Answer answer{.facts = {}, .server_uuid = place->server_uuid, .asked_at = asked_at};
  auto asked = AskFor(*place, answer.facts);
  // Between two questions a server, or what stands before it, may end a connection that is idle.
  if (!asked && asked.error().kind == binlog::ErrorKind::kDisconnected) {
    answer.facts = {};
    asked = AskFor(*place, answer.facts);
  }
  if (asked) {
    was_told_ = false;
  } else {
    OnFailure(asked.error(), place->server_uuid);
  }
  Keep(std::move(answer));
  return kInterval;
}

void ServerWatch::Keep(std::optional<Answer> answer) {
  const std::lock_guard lock(mutex_);
  answer_ = std::move(answer);
  if (!answer_ || !answer_->facts.log) return;
  kept_ = answer_->facts.log;
  kept_of_ = answer_->server_uuid;
}

// Of an outage the reader tells.
void ServerWatch::OnFailure(const binlog::Error& error, const std::string& server_uuid) {
  if (binlog::MayPass(error.kind) || error.kind == binlog::ErrorKind::kInterrupted) {
    spdlog::debug("the end of the binary log was not told: {}", error.ToText());
    return;
  }
  lag_.OnRefusal(server_uuid);
  if (!std::exchange(was_told_, true)) {
    spdlog::warn("how many bytes of the binary log are not acknowledged is not known: {}",
                 error.ToText());
  }
}

// What an account may not ask is left out of `facts`.
binlog::Result<void> ServerWatch::AskFor(const AcknowledgedPlace& place, ServerFacts& facts) {
  if (auto opened = probe_.Open({.server_uuid = place.server_uuid, .host = place.host}); !opened) {
    return opened;
  }
  if (auto asked = AskForTime(facts); !asked) return asked;
  const auto asked_at = clock_.Now();
  const auto end = probe_.EndOfLog();
  if (!end) return std::unexpected(end.error());
  const auto standing = probe_.StandingToSource();
  if (!standing) return std::unexpected(standing.error());
  lag_.OnLogEnd(
      {.server_uuid = place.server_uuid, .end = *end, .standing = *standing, .asked_at = asked_at});
  if (auto learned = log_.Learn(place, *end); !learned) return learned;
  facts.lag_bytes = log_.BytesBetween(place, *end);
  facts.log = log_.KeptFor(place);
  return {};
}

// It told the time in the middle of the round trip, as near as can be known.
binlog::Result<void> ServerWatch::AskForTime(ServerFacts& facts) {
  const auto asked_at = clock_.Now();
  const auto server_us = probe_.TimeOfDay();
  if (!server_us) return std::unexpected(server_us.error());
  const auto answered_at = clock_.Now();
  const auto middle = asked_at + (answered_at - asked_at) / 2;
  server_clock_.Set(*server_us, middle);
  facts.round_trip = std::chrono::duration_cast<microseconds>(answered_at - asked_at);
  const auto wall_us = clock_.WallMicroseconds() - std::uint64_t(facts.round_trip->count()) / 2;
  facts.clock_ahead = microseconds(static_cast<std::int64_t>(*server_us - wall_us));
  TellClock(*facts.clock_ahead);
  return {};
}

// Once, until it is right again.
void ServerWatch::TellClock(microseconds ahead) {
  const bool differs = std::chrono::abs(ahead) >= kClockDifferenceTold;
  if (differs == std::exchange(clock_was_told_, differs)) return;
  if (!differs) {
    spdlog::info("the clocks of MySQL's machine and of this one agree again");
    return;
  }
  const std::string text = fmt::format(
      "the clock of MySQL's machine is {:.1f} s {} this one's; the lag is told by MySQL's clock",
      std::chrono::duration<double>(std::chrono::abs(ahead)).count(),
      ahead.count() > 0 ? "ahead of" : "behind");
  spdlog::warn("{}", WithHint(text, "see that both machines follow one time server"));
}

}  // namespace outboxd
