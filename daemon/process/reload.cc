#include "daemon/process/reload.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "binlog/interrupter.h"
#include "daemon/config/reloadable.h"
#include "daemon/exit_code_of.h"
#include "daemon/preparation/sink_setup.h"
#include "daemon/preparation/source_setup.h"
#include "daemon/preparation/trial.h"
#include "daemon/process/worker.h"
#include "daemon/service/log.h"
#include "daemon/service/log_record.h"

namespace outboxd {
namespace {

// What is told by name and in files stays what it is as long as the process lives.
Result<void> CheckWhole(const Config& in_force, const Config& fresh) {
  if (in_force.relay == fresh.relay && in_force.log.format == fresh.log.format) return {};
  return Fail(ExitCode::kConfiguration, "[relay] or log.format has changed")
      .Hint("restart the relay");
}

// A side that does not answer the relay either cannot be asked: there the new configuration may be
// what helps.
Result<void> Judge(const Result<void>& tried, bool is_away) {
  if (tried || (is_away && tried.error().kind == ExitCode::kUnreachable)) return {};
  return tried;
}

}  // namespace

struct Reload::Trial {
  explicit Trial(Config config)
      : fresh(std::move(config)),
        worker(
            [this]() -> Result<void> {
              source = TrySource(fresh, interrupter);
              sink = TrySink(fresh);
              return {};
            },
            [this] { interrupter.Request(); }) {}

  const Config fresh;
  binlog::Interrupter interrupter;
  Result<void> source, sink;  // Of the worker until it has finished.
  Worker worker;              // Last: it uses the others.
};

Reload::Reload(Parts parts, Config in_force)
    : parts_(std::move(parts)), in_force_(std::move(in_force)) {}

Reload::~Reload() = default;

bool Reload::TakeWhole() {
  const bool was_under_way = std::exchange(trial_, nullptr) != nullptr;
  if (!parts_.signals.ReloadArrived() && !was_under_way) return false;
  auto fresh = parts_.read();
  const Result<void> good = fresh ? CheckWhole(in_force_, *fresh) : std::unexpected(fresh.error());
  if (!good) {
    Refuse(good.error());
    return false;
  }
  spdlog::info("the configuration was read again; beginning anew with it");
  SetLogLevel(fresh->log.level);
  in_force_ = *std::move(fresh);
  Accept("beginning anew with it");
  return true;
}

bool Reload::Step(const Target& target) {
  if (!trial_) {
    if (!parts_.signals.ReloadArrived()) return false;
    parts_.notifier.Reloading();
    const auto begun = Begin();
    if (!begun) Refuse(begun.error());
    return !begun;
  }
  if (!trial_->worker.finished()) return false;
  if (const auto ended = End(target); !ended) Refuse(ended.error());
  trial_.reset();
  return true;
}

Result<void> Reload::Begin() {
  auto fresh = parts_.read();
  if (!fresh) return std::unexpected(fresh.error());
  if (const auto sections = ChangesForRestart(in_force_, *fresh); !sections.empty()) {
    return Fail(ExitCode::kConfiguration, "what has changed in {} needs a restart",
                fmt::join(sections, ", "))
        .Hint("restart the relay, or change it back; nothing of the file was taken");
  }
  trial_ = std::make_unique<Trial>(*std::move(fresh));
  return {};
}

Result<void> Reload::End(const Target& target) {
  const Config& fresh = trial_->fresh;
  if (auto good = Judge(trial_->source, target.outages.source().has_value()); !good) return good;
  if (auto good = Judge(trial_->sink, target.outages.sink().has_value()); !good) return good;
  const auto renews = target.sink.Configure(SinkRequestOf(fresh));
  if (!renews) return std::unexpected(AsDaemonError(renews.error()));
  const auto changes = ReloadableChanges(in_force_, fresh);
  SetLogLevel(std::min(in_force_.log.level, fresh.log.level));  // So that either shows the next.
  const std::string how = changes.empty() ? "the same, with what stands in its files now"
                                          : fmt::format("{} changed", fmt::join(changes, ", "));
  spdlog::info("the configuration was read again: {}", how);
  target.log_in.Set(LogInOf(fresh.mysql));
  if (*renews) target.relay.RenewProducer();
  target.relay.SetMaxRate(fresh.delivery.max_rate);
  SetLogLevel(fresh.log.level);
  in_force_ = fresh;
  Accept(how);
  return {};
}

void Reload::Refuse(const Error& error) {
  refused_ = {.since_us = parts_.clock.WallMicroseconds(), .reason = error.message};
  Log(LogLevel::kError, {.notice = Notice::kReloadRefused},
      WithHint(fmt::format("the configuration that was read again is refused, and the former stays "
                           "in force: {}",
                           error.message),
               error.hint));
  Answer({false, error.ToText()});
}

void Reload::Accept(const std::string& how) {
  refused_.reset();
  Answer({true, how});
}

void Reload::Answer(const Health& answer) {
  parts_.notifier.Ready();
  parts_.health.SetReloads(++answered_, answer);
}

}  // namespace outboxd
