#include "daemon/relay/relay_process.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#include "binlog/mysql_event_source.h"
#include "daemon/relay/acknowledger.h"
#include "daemon/relay/publisher.h"
#include "daemon/relay/relay.h"
#include "daemon/relay/table_read.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPollTimeout{100};
constexpr std::chrono::seconds kStatusInterval{5};
constexpr std::chrono::seconds kSourceAnswerMargin{100};

// The reader thread: ends with what ended the relay.
class ReaderThread {
 public:
  ReaderThread(Relay& relay, std::function<Result<void>()> run) : relay_(relay) {
    thread_ = std::jthread([this, run = std::move(run)]() noexcept {
      result_ = run();
      finished_.store(true, std::memory_order_release);
      finished_.notify_all();
    });
  }
  ~ReaderThread() { relay_.RequestStop(true); }

  [[nodiscard]] bool finished() const { return finished_.load(std::memory_order_acquire); }
  // Only after it has finished.
  [[nodiscard]] const Result<void>& result() const { return result_; }

 private:
  Relay& relay_;
  Result<void> result_;
  std::atomic<bool> finished_ = false;
  std::jthread thread_;  // Last: it uses the others until it is joined.
};

std::string HeldXaText(const std::vector<HeldXa>& held, std::uint64_t now_us) {
  std::string text = fmt::format("; {} prepared XA transaction{} held, the oldest {}", held.size(),
                                 held.size() == 1 ? "" : "s", held.front().place);
  if (const std::uint64_t since_us = held.front().since_us; since_us != 0) {
    text += fmt::format(" for {} s", (now_us - std::min(now_us, since_us)) / 1'000'000);
  }
  return text;
}

std::string StatusText(const DeliveryTracker& tracker, const Relay& relay, std::size_t alarms,
                       std::uint64_t now_us) {
  const Progress progress = tracker.progress();
  std::string text;
  if (const auto held = relay.held_position()) {
    text = fmt::format("holding at event {}", *held);
  } else {
    text = fmt::format("{} events delivered; at {}:{}", tracker.delivered(), progress.position.file,
                       progress.position.offset);
  }
  if (!progress.held_xa.empty()) text += HeldXaText(progress.held_xa, now_us);
  if (alarms > 0) text += fmt::format("; {} alarm{} standing", alarms, alarms == 1 ? "" : "s");
  return text;
}

std::string CountsText(const ChangeCounts& counts, std::uint64_t unselected) {
  std::string text;
  const auto add = [&text](std::uint64_t count, std::string_view what) {
    if (count > 0) text += fmt::format(", {} {}", count, what);
  };
  add(unselected, "rows that are no events by their conditions");
  add(counts.updates, "updates of event tables");
  add(counts.deletes, "deletes");
  add(counts.ddl, "DDL statements");
  add(counts.statements, "changes in statement format");
  add(counts.unknown_decisions, "XA decisions about unknown transactions");
  return text;
}

}  // namespace

Result<void> RelayProcess::Run(Progress progress, EventTables tables, ReplicaIdentity identity) {
  const Config& config = parts_.config;

  const bool table_read_pending = progress.table_read_pending;
  binlog::MysqlEventSource source(SourceOptionsOf(config.mysql, identity));

  const binlog::TableFilter filter(tables.selections);
  binlog::TransactionReader transactions(filter, {.spill_directory = config.relay.spill_directory,
                                                  .spill_bytes_max = config.relay.spill_bytes_max});
  binlog::RowReader rows(filter, parts_.character_sets, LookUpSchema(config.mysql));
  const std::string directory = parts_.state == nullptr ? "" : parts_.state->path();
  std::optional<Journal> journal;
  if (!directory.empty() && config.checkpoint.journal_bytes_max > 0) {
    journal.emplace(directory, config.checkpoint.journal_bytes_max);
  }
  DeliveryTracker tracker(std::move(progress), journal.has_value());
  Publisher publisher(std::move(tables.mappings), parts_.sink, tracker, parts_.state, parts_.clock,
                      {.on_bad_event = config.delivery.on_bad_event,
                       .dead_letter_topic = config.delivery.dead_letter_topic,
                       .on_mapped = parts_.on_mapped});
  std::optional<AlarmLog> alarms;
  if (!directory.empty()) alarms.emplace(directory);
  ChangeWatch changes(config.delivery, alarms ? &*alarms : nullptr, parts_.clock);
  FailoverWatch failovers(
      config.delivery.on_lost_transactions,
      {.journal = journal ? &*journal : nullptr, .alarms = alarms ? &*alarms : nullptr}, directory);
  // Opening can wait for a first event of each host, to compare it.
  const milliseconds first_event = config.mysql.first_event_timeout;
  const auto hosts = static_cast<int>(config.mysql.hosts.size());
  Relay relay({source, transactions, rows, parts_.sink, tracker, publisher, changes, failovers,
               parts_.clock},
              {.source_open_timeout = hosts * first_event + kSourceAnswerMargin,
               .source_read_timeout = first_event + kSourceAnswerMargin,
               .max_stall = config.delivery.max_stall,
               .max_rate = config.delivery.max_rate});
  TableRead table_read({config, tables, relay, publisher, tracker});
  Acknowledger acknowledger(parts_.sink, tracker, parts_.store, journal ? &*journal : nullptr,
                            parts_.clock,
                            {.relay = config.relay.name,
                             .tables = TablePatterns(config),
                             .interval = config.checkpoint.interval});

  std::optional<Result<void>> ended;
  bool stopping = false;
  auto deadline = Clock::TimePoint::max();
  {
    ReaderThread reader(relay, [&]() -> Result<void> {
      if (table_read_pending) {
        if (auto read = table_read.Run(); !read) return read;
      }
      return relay.Run();
    });
    auto next_status = parts_.clock.Now();
    while (!reader.finished()) {
      acknowledger.Step(kPollTimeout);
      const auto now = parts_.clock.Now();
      if (!stopping && parts_.signals.Arrived()) {
        stopping = true;
        deadline = now + config.relay.stop_timeout;
        spdlog::info("stopping");
        parts_.notifier.Stopping();
        relay.RequestStop();
      }
      if (now >= deadline) relay.RequestStop(true);
      if (now < relay.quiet_until() + kStatusInterval) parts_.notifier.Watchdog(now);
      if (now >= next_status) {
        next_status = now + kStatusInterval;
        const auto standing = alarms ? alarms->CountStanding() : Result<std::size_t>(0);
        parts_.notifier.Status(
            StatusText(tracker, relay, standing.value_or(0), parts_.clock.WallMicroseconds()));
      }
    }
    ended = reader.result();
  }
  // What is under way would otherwise be sent again at the next start.
  if (!stopping) deadline = parts_.clock.Now() + config.relay.stop_timeout;
  while (!tracker.AllAcknowledged() && !tracker.has_trouble() && parts_.clock.Now() < deadline) {
    acknowledger.Step(kPollTimeout);
    parts_.notifier.Watchdog(parts_.clock.Now());
    if (!stopping && parts_.signals.Arrived()) break;
  }
  const auto stored = acknowledger.Store();
  parts_.sink.Close();
  spdlog::info("stopped: {} events delivered{}", tracker.delivered(),
               CountsText(changes.counts(), publisher.unselected()));
  if (!*ended) return *ended;
  return stored;
}

}  // namespace outboxd
