#include "daemon/relay/sink_owner.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "binlog/hint.h"
#include "daemon/exit_code_of.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kBackOffFirst{100};
constexpr milliseconds kBackOffMax{15'000};

}  // namespace

Error OtherClusterError(const std::string& known, const std::string& found) {
  return {ExitCode::kCheckpoint,
          fmt::format(
              "the checkpoint is for Kafka cluster {}, but kafka.bootstrap.servers leads to {}"
              " HINT: mend kafka.bootstrap.servers; if the relay is to go on with the new cluster,"
              " run 'outboxd position set keep'",
              known, found)};
}

SinkOwner::SinkOwner(sinks::Sink& sink, Liveness& liveness, Outages& outages, const Clock& clock,
                     milliseconds open_timeout)
    : sink_(sink),
      liveness_(liveness),
      outages_(outages),
      open_timeout_(open_timeout),
      back_off_(kBackOffFirst, kBackOffMax, clock.WallMicroseconds() + 1) {}

Result<Step> SinkOwner::Open() {
  liveness_.ExpectAnswerWithin(2 * open_timeout_);
  auto opened = sink_.Open(open_timeout_);
  if (!opened) {
    const sinks::Error& error = opened.error();
    const bool is_operators_fault =
        error.kind == sinks::ErrorKind::kDenied || error.kind == sinks::ErrorKind::kConfiguration;
    if (is_operators_fault && !was_open_) {
      return Fail(ExitCodeOf(error.kind), "{}", error.message);
    }
    outages_.SinkFails(error.message);
    is_told_ = false;
    const milliseconds pause = back_off_.Next();
    const std::string next = fmt::format("; trying again in {} ms", pause.count());
    spdlog::warn("sink: {}", binlog::BeforeHint(error.message, next));
    return Step{Step::Kind::kPause, pause};
  }
  if (!identity_.empty() && identity_ != opened->identity) {
    Close();
    return std::unexpected(OtherClusterError(identity_, opened->identity));
  }
  identity_ = std::move(opened->identity);
  keeps_checkpoints_ = opened->keeps_checkpoints;
  checkpoint_ = std::move(opened->checkpoint);
  is_open_ = true;
  was_open_ = true;
  outages_.SinkAnswers();
  // After a trouble of deliveries a new producer is needed, and Kafka answered all the time.
  if (!identity_.empty() && !std::exchange(is_told_, true)) {
    spdlog::info("connected to Kafka cluster {}", identity_);
  }
  return Step{};
}

void SinkOwner::Close() {
  sink_.Close();
  is_open_ = false;
}

Step SinkOwner::PauseAfterTrouble(std::uint64_t delivered) {
  if (delivered != delivered_at_trouble_) back_off_.Reset();
  delivered_at_trouble_ = delivered;
  return {Step::Kind::kPause, back_off_.Next()};
}

}  // namespace outboxd
