#include "daemon/process/opening.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/checkpoint/checkpoint_format.h"
#include "daemon/relay/back_off.h"
#include "daemon/service/log_record.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;

// For the statements of a preparation at one host together; each has a deadline of its own.
constexpr std::chrono::seconds kStatementsMax{600};
constexpr std::chrono::seconds kConnectMax{30};  // The password's command may take ten.

}  // namespace

Result<void> CheckTables(const Checkpoint& checkpoint, const Config& config) {
  for (const std::string& pattern : TablePatterns(config)) {
    if (std::ranges::find(checkpoint.tables, pattern) != checkpoint.tables.end()) continue;
    return Fail(ExitCode::kCheckpoint,
                "event table {} is new to this relay: its rows before the checkpoint were not "
                "published",
                pattern)
        .Hint(
            "'outboxd position set keep' begins it at the checkpoint, 'outboxd position set table' "
            "publishes what is in the tables first");
  }
  return {};
}

Result<void> Opening::Run() {
  if (auto opened = OpenSink(); !opened) return opened;
  if (MustStop()) return {};
  if (auto chosen = ChooseCheckpoint(); !chosen) return chosen;
  return PrepareSource();
}

void Opening::RequestStop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stop_changed_.notify_all();
  parts_.interrupter.Request();
}

bool Opening::MustStop() { return Wait(milliseconds{0}); }

bool Opening::Wait(milliseconds pause) {
  parts_.liveness.ExpectAnswerWithin(pause);
  std::unique_lock lock(mutex_);
  return stop_changed_.wait_for(lock, pause, [this] { return stop_; });
}

Result<void> Opening::OpenSink() {
  if (checkpoint_) parts_.sink.Expect(checkpoint_->sink);
  while (!parts_.sink.is_open()) {
    auto step = parts_.sink.Open();
    if (!step) return std::unexpected(step.error());
    if (Wait(step->pause)) return {};
  }
  return {};
}

// What the sink keeps became visible together with the messages: nothing is nearer to the truth.
Result<void> Opening::ChooseCheckpoint() {
  leaves_stored_ = !checkpoint_.has_value();
  if (!parts_.sink.checkpoint()) return {};
  auto kept = DecodeCheckpoint(*parts_.sink.checkpoint(), parts_.config.relay.name,
                               "the checkpoint that the sink keeps");
  if (!kept) return std::unexpected(kept.error());
  if (auto same = CheckTables(*kept, parts_.config); !same) return same;
  leaves_stored_ = checkpoint_ != *kept;
  checkpoint_ = std::move(*kept);
  return {};
}

Result<void> Opening::PrepareSource() {
  BackOff back_off(parts_.clock.WallMicroseconds());
  while (true) {
    auto prepared = PrepareOnce();
    if (MustStop()) return {};
    if (prepared) {
      preparation_ = std::move(*prepared);
      preparation_->progress.sink = parts_.sink.identity();
      return {};
    }
    if (!parts_.waits_for_server || prepared.error().kind != ExitCode::kUnreachable) {
      return std::unexpected(prepared.error());
    }
    const milliseconds pause = back_off.Next();
    const std::string text =
        fmt::format("source: {}; trying again in {} ms", prepared.error().message, pause.count());
    Log(LogLevel::kWarning, {.notice = Notice::kSourceAway}, WithHint(text, prepared.error().hint));
    parts_.outages.SourceFails(prepared.error().message);
    if (Wait(pause)) return {};
  }
}

Result<Preparation> Opening::PrepareOnce() {
  const auto hosts = static_cast<int>(parts_.config.mysql.hosts.size());
  parts_.liveness.ExpectAnswerWithin(hosts * (kConnectMax + kStatementsMax));
  return Prepare(parts_.config, checkpoint_, &parts_.interrupter);
}

}  // namespace outboxd
