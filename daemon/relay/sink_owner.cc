#include "daemon/relay/sink_owner.h"

#include <spdlog/spdlog.h>

#include "daemon/exit_code_of.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kBackOffFirst{100};
constexpr milliseconds kBackOffMax{15'000};

}  // namespace

SinkOwner::SinkOwner(sinks::Sink& sink, DeliveryTracker& tracker, Liveness& liveness,
                     Outages& outages, const Clock& clock, milliseconds open_timeout)
    : sink_(sink),
      tracker_(tracker),
      liveness_(liveness),
      outages_(outages),
      open_timeout_(open_timeout),
      back_off_(kBackOffFirst, kBackOffMax, clock.WallMicroseconds() + 1) {}

Result<Step> SinkOwner::Open() {
  liveness_.ExpectAnswerWithin(2 * open_timeout_);
  auto identity = sink_.Open(open_timeout_);
  if (!identity) {
    const sinks::Error& error = identity.error();
    const bool is_operators_fault =
        error.kind == sinks::ErrorKind::kDenied || error.kind == sinks::ErrorKind::kConfiguration;
    if (is_operators_fault && !was_open_) {
      return Fail(ExitCodeOf(error.kind), "{}", error.message);
    }
    outages_.SinkFails(error.message);
    const milliseconds pause = back_off_.Next();
    spdlog::warn("sink: {}; trying again in {} ms", error.message, pause.count());
    return Step{Step::Kind::kPause, pause};
  }
  const std::string known = tracker_.progress().sink;
  if (!known.empty() && known != *identity) {
    return Fail(
        ExitCode::kCheckpoint,
        "the checkpoint is for Kafka cluster {}, but kafka.bootstrap.servers leads to {}"
        " HINT: mend kafka.bootstrap.servers; if the relay is to go on with the new cluster,"
        " run 'outboxd position set keep'",
        known, *identity);
  }
  tracker_.SetSink(*identity);
  is_open_ = was_open_ = true;
  outages_.SinkAnswers();
  if (!identity->empty()) spdlog::info("connected to Kafka cluster {}", *identity);
  return Step{};
}

void SinkOwner::Close() {
  sink_.Close();
  is_open_ = false;
}

Step SinkOwner::PauseAfterTrouble() {
  if (tracker_.delivered() != delivered_at_trouble_) back_off_.Reset();
  delivered_at_trouble_ = tracker_.delivered();
  return {Step::Kind::kPause, back_off_.Next()};
}

}  // namespace outboxd
