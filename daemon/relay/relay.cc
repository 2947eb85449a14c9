#include "daemon/relay/relay.h"

#include <spdlog/spdlog.h>

#include <limits>

#include "daemon/exit_code_of.h"
#include "daemon/service/log.h"

namespace outboxd {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kBackOffFirst{100};
constexpr milliseconds kBackOffMax{15'000};
// So that a step stays short even in a transaction of millions of rows.
constexpr int kRowsPerStep = 1000;
constexpr int kCorruptTimesMax = 3;
// The greatest offset that a dump by file can begin at.
constexpr std::uint64_t kFileOffsetMax = std::numeric_limits<std::uint32_t>::max();

binlog::KnownHistory HistoryOf(const Progress& progress) {
  return {.server_uuid = progress.server_uuid,
          .last_gtid = progress.last_gtid,
          .last_commit_us = progress.last_commit_us};
}

}  // namespace

Relay::Relay(Parts parts, Options options)
    : parts_(parts),
      options_(options),
      resume_from_(parts.tracker.progress().position),
      rate_limit_(options.max_rate),
      source_back_off_(kBackOffFirst, kBackOffMax, parts.clock.WallMicroseconds()),
      sink_back_off_(kBackOffFirst, kBackOffMax, parts.clock.WallMicroseconds() + 1) {
  const Progress progress = parts.tracker.progress();
  known_ = HistoryOf(progress);
  parts_.transactions.ForgetPrepared(progress.prepared);
}

Result<void> Relay::Run() {
  while (true) {
    auto step = ReadStep();
    if (!step) return std::unexpected(step.error());
    if (step->kind == Step::Kind::kStopped) return {};
    Wait(*step);
  }
}

void Relay::Wait(const Step& step) {
  if (step.kind == Step::Kind::kGoOn || step.pause <= milliseconds{0}) return;
  {
    const std::lock_guard lock(mutex_);
    const auto& held = parts_.publisher.held();
    held_position_ = held ? std::optional(held->position) : std::nullopt;
  }
  ExpectAnswerWithin(step.pause);
  if (step.kind == Step::Kind::kFull) {
    parts_.sink.WaitForRoom(step.pause);
    return;
  }
  std::unique_lock lock(mutex_);
  stop_changed_.wait_for(lock, step.pause, [this] { return stop_requested(); });
}

void Relay::RequestStop(bool at_once) {
  {
    const std::lock_guard lock(mutex_);
    if (at_once) stop_at_once_.store(true, std::memory_order_release);
    stop_.store(true, std::memory_order_release);
  }
  stop_changed_.notify_all();
  parts_.source.Interrupt();
}

std::optional<std::string> Relay::held_position() const {
  const std::lock_guard lock(mutex_);
  return held_position_;
}

void Relay::ExpectAnswerWithin(milliseconds bound) {
  quiet_until_.store((parts_.clock.Now() + bound).time_since_epoch().count());
}

Step Relay::PauseBefore(Phase next, BackOff& back_off) {
  phase_ = next;
  return Step{Step::Kind::kPause, back_off.Next()};
}

Result<Step> Relay::ReadStep() {
  if (parts_.tracker.has_trouble() && !parts_.publisher.is_awaiting()) {
    return stop_requested() ? Step{Step::Kind::kStopped} : OnDeliveryTrouble();
  }
  // A transaction that stands still would keep the stop waiting: it is published again next time.
  if (stop_requested() && (phase_ != Phase::kPublishing || parts_.publisher.held() ||
                           stop_at_once_.load(std::memory_order_acquire))) {
    return Step{Step::Kind::kStopped};
  }
  switch (phase_) {
    case Phase::kOpenSink: {
      bool is_open = false;
      return OpenSink(&is_open);
    }
    case Phase::kOpenSource:
      return OpenSource();
    case Phase::kReading:
      return ReadEvent();
    case Phase::kPublishing:
      return PublishRows();
  }
  return Step{};
}

Result<Step> Relay::OpenSink(bool* is_open) {
  ExpectAnswerWithin(2 * options_.sink_open_timeout);
  auto identity = parts_.sink.Open(options_.sink_open_timeout);
  if (!identity) {
    const sinks::Error& error = identity.error();
    const bool is_operators_fault =
        error.kind == sinks::ErrorKind::kDenied || error.kind == sinks::ErrorKind::kConfiguration;
    if (is_operators_fault && !sink_was_open_) {
      return Fail(ExitCodeOf(error.kind), "{}", error.message);
    }
    const milliseconds pause = sink_back_off_.Next();
    spdlog::warn("sink: {}; trying again in {} ms", error.message, pause.count());
    return Step{Step::Kind::kPause, pause};
  }
  const std::string known = parts_.tracker.progress().sink;
  if (!known.empty() && known != *identity) {
    return Fail(
        ExitCode::kCheckpoint,
        "the checkpoint is for Kafka cluster {}, but kafka.bootstrap.servers leads to {}"
        " HINT: mend kafka.bootstrap.servers; if the relay is to go on with the new cluster,"
        " run 'outboxd position set keep'",
        known, *identity);
  }
  parts_.tracker.SetSink(*identity);
  sink_was_open_ = true;
  if (!identity->empty()) spdlog::info("connected to Kafka cluster {}", *identity);
  *is_open = true;
  phase_ = Phase::kOpenSource;
  return Step{};
}

Result<Step> Relay::OpenSource() {
  ExpectAnswerWithin(options_.source_open_timeout);
  auto stream = parts_.source.Open(resume_from_, known_);
  if (!stream) return OnSourceError(stream.error());
  stream_ = std::move(*stream);
  source_is_open_ = source_was_open_ = true;
  auto reads_again = OnFailover();
  if (!reads_again) return std::unexpected(reads_again.error());
  known_.server_uuid = stream_.server_uuid;
  parts_.tracker.SetServer(stream_.server_uuid, stream_.by_gtid);
  if (*reads_again) {
    parts_.sink.Close();  // No report of this producer comes after it.
    return StartOver();
  }
  parts_.transactions.Reset(stream_, resume_from_);
  phase_ = Phase::kReading;
  spdlog::info("reading the binary log of server {} {}", stream_.server_uuid,
               stream_.by_gtid ? "by GTID"
                               : fmt::format("from {}:{}", resume_from_.file, resume_from_.offset));
  return Step{};
}

// True: what is held is to be read anew, because a prepared transaction was lost, or its decision.
Result<bool> Relay::OnFailover() {
  const FailoverWatch::Servers servers{known_.server_uuid, stream_.server_uuid};
  if (!stream_.unseen.empty()) parts_.failovers.OnUnseen(stream_.unseen, servers);
  const binlog::GtidSet& lost = stream_.lost;
  if (lost.empty()) return false;
  auto undecided = parts_.failovers.OnLost(lost, servers, parts_.tracker.UnwrittenEvents());
  if (!undecided) return std::unexpected(undecided.error());
  binlog::GtidSet unread = lost;
  unread.Unite(*undecided);
  parts_.tracker.TakeOut(unread);
  resume_from_.TakeOut(unread);
  if (known_.last_gtid && unread.Contains(*known_.last_gtid)) known_.last_gtid.reset();
  return !undecided->empty() ||
         !lost.Intersect(parts_.transactions.prepared().held_gtids()).empty();
}

Result<Step> Relay::ReadEvent() {
  using Outcome = binlog::TransactionReader::Outcome;
  ExpectAnswerWithin(options_.source_read_timeout);
  auto event = parts_.source.Next();
  if (!event) return OnSourceError(event.error());
  auto outcome = parts_.transactions.Feed(*event);
  if (!outcome) return OnSourceError(outcome.error());
  switch (*outcome) {
    case Outcome::kNothing:
      return Step{};
    case Outcome::kNewFile:
      // By GTID a file alone says nothing; by file it must be followed before it is purged.
      if (!stream_.by_gtid) {
        binlog::Position position = parts_.transactions.position();
        position.gtids = position.gtids.Minus(parts_.transactions.prepared().held_gtids());
        parts_.tracker.PassFile(position);
      }
      return Step{};
    case Outcome::kTransaction:
      return OnTransaction();
  }
  return Step{};
}

Result<Step> Relay::OnTransaction() {
  source_back_off_.Reset();
  corrupt_times_ = 0;
  const binlog::Transaction& transaction = parts_.transactions.transaction();
  if (auto observed = parts_.changes.Observe(transaction); !observed) {
    return std::unexpected(observed.error());
  }
  if (transaction.xa == binlog::XaStep::kHeld && !stream_.by_gtid) {
    spdlog::warn(
        "XA transaction {} at {} is prepared with events: until it is decided the checkpoint stays"
        " before it, so that a restart would publish what comes behind it again",
        Escaped(transaction.xid), PlaceOf(transaction));
  }
  if (!transaction.has_rows) {
    parts_.tracker.Pass(transaction, parts_.transactions.collects_gtids());
    return EndTransaction();
  }
  parts_.tracker.Begin();
  parts_.rows.Begin(parts_.transactions.rows());
  event_position_.Begin(transaction);
  row_ = nullptr;
  moved_at_ = parts_.clock.Now();
  phase_ = Phase::kPublishing;
  return PublishRows();
}

Step Relay::EndTransaction() {
  phase_ = Phase::kReading;
  known_.last_gtid.reset();
  if (parts_.transactions.collects_gtids()) {
    known_.last_gtid = parts_.transactions.transaction().gtid;
    known_.last_commit_us = parts_.transactions.transaction().commit_us;
  }
  const bool gives_memory_back =
      parts_.transactions.largest_event() > options_.large_event_bytes &&
      // Where a dump by file could not begin it stays open until the next file.
      (stream_.by_gtid || parts_.transactions.position().offset <= kFileOffsetMax);
  if (source_is_open_ && !gives_memory_back) return Step{};
  CloseSource();
  resume_from_ = ReadPosition();
  phase_ = Phase::kOpenSource;
  return Step{};
}

void Relay::CloseSource() {
  parts_.source.Close();
  source_is_open_ = false;
}

// The rows in hand stand in the transaction's buffer: the source is not needed for them.
void Relay::CloseStalledSource(bool moved) {
  const auto now = parts_.clock.Now();
  if (moved) moved_at_ = now;
  if (!source_is_open_ || now - moved_at_ < options_.max_stall) return;
  spdlog::warn("nothing could be sent for {} s: the binary log is closed until that changes",
               options_.max_stall.count() / 1000);
  CloseSource();
}

Result<Step> Relay::PublishRows() {
  ExpectAnswerWithin(2 * options_.sink_open_timeout);
  bool moved = false;
  for (int i = 0; i < kRowsPerStep; ++i) {
    if (rate_limit_.is_limited()) {
      const milliseconds wait = rate_limit_.Wait(parts_.clock.Now());
      if (wait.count() > 0) return Step{Step::Kind::kPause, wait};
    }
    if (row_ == nullptr) {
      auto row = parts_.rows.Next();
      if (!row && row.error().kind == binlog::ErrorKind::kSpill) {
        spdlog::error("event {}: {}; reading it again", event_position_.NextRow(),
                      row.error().message);
        parts_.sink.Close();  // No report of this producer comes after it.
        return StartOver();
      }
      if (!row) {
        return Fail(ExitCodeOf(row.error().kind), "event {}: {}", event_position_.NextRow(),
                    row.error().message);
      }
      if (*row == nullptr) {
        parts_.tracker.Finish(parts_.transactions.transaction(),
                              parts_.transactions.collects_gtids());
        return EndTransaction();
      }
      row_position_ = event_position_.NextRow();
      items_ = parts_.publisher.Begin(**row);
      if (items_ == 0) continue;
      item_ = 0;
      row_ = *row;
    }
    bool done = false;
    const std::string_view position = parts_.publisher.TakeItem(*row_, row_position_, item_);
    auto step = parts_.publisher.Publish(*row_, position, &done);
    if (!step) return step;
    if (done) {
      if (++item_ == items_) row_ = nullptr;
      moved = true;
      if (rate_limit_.is_limited()) rate_limit_.Take(parts_.clock.Now());
    }
    if (step->kind != Step::Kind::kGoOn) {
      CloseStalledSource(moved);
      return step;
    }
    if (parts_.tracker.has_trouble()) return step;
  }
  moved_at_ = parts_.clock.Now();
  return Step{};
}

Result<Step> Relay::OnDeliveryTrouble() {
  parts_.sink.Close();  // No report of this producer comes after it.
  const DeliveryTrouble trouble = parts_.tracker.TakeTrouble();
  if (trouble.failed) {
    spdlog::warn("a message was refused ({}); sending again from the last delivered transaction",
                 trouble.failed->error.message);
  } else if (trouble.lost) {
    spdlog::warn("the producer was lost ({}); sending again from the last delivered transaction",
                 trouble.lost->message);
    if (trouble.lost->kind == sinks::ErrorKind::kClosed) {
      return Fail(ExitCode::kOk, "{}", trouble.lost->message);
    }
  }
  auto step = StartOver();
  parts_.publisher.BeCareful(trouble.messages_to_failed);
  return step;
}

// Everything behind what is delivered for good is read again. The sink is closed.
Result<Step> Relay::StartOver() {
  if (parts_.tracker.delivered() != delivered_at_trouble_) sink_back_off_.Reset();
  delivered_at_trouble_ = parts_.tracker.delivered();
  Progress progress = parts_.tracker.Restart();
  known_ = HistoryOf(progress);
  resume_from_ = std::move(progress.position);
  parts_.transactions.ForgetPrepared(std::move(progress.prepared));
  CloseSource();
  parts_.publisher.Reset();
  row_ = nullptr;
  return PauseBefore(Phase::kOpenSink, sink_back_off_);
}

// Where an ordinary reconnect goes on.
binlog::Position Relay::ReadPosition() const {
  binlog::Position position = parts_.transactions.position();
  // A set that is still empty must not be taken for a position by file.
  if (stream_.by_gtid && position.gtids.empty()) position.file.clear();
  return position;
}

Result<Step> Relay::OnSourceError(const binlog::Error& error) {
  CloseSource();
  if (phase_ == Phase::kReading) resume_from_ = ReadPosition();
  switch (error.kind) {
    case binlog::ErrorKind::kInterrupted:
      return Step{};  // ReadStep() sees the stop.
    case binlog::ErrorKind::kCorrupt:
      return OnCorruptEvent(error);
    case binlog::ErrorKind::kDenied:
    case binlog::ErrorKind::kHandshake:
      if (!source_was_open_) break;
      [[fallthrough]];  // A password or certificate being rotated: it will be right again.
    case binlog::ErrorKind::kDisconnected: {
      const Step step = PauseBefore(Phase::kOpenSource, source_back_off_);
      spdlog::warn("source: {}; trying again in {} ms", error.message, step.pause.count());
      return step;
    }
    case binlog::ErrorKind::kSpill: {
      // Space may come back, or another directory with more of it: nothing is lost by waiting.
      const Step step = PauseBefore(Phase::kOpenSource, source_back_off_);
      spdlog::error(
          "holding: {}; trying again in {} ms HINT: relay.spill-directory and"
          " relay.spill-bytes-max",
          error.message, step.pause.count());
      return step;
    }
    case binlog::ErrorKind::kUndecodable:
    case binlog::ErrorKind::kGone:
    case binlog::ErrorKind::kDiverged:
    case binlog::ErrorKind::kReplaced:
    case binlog::ErrorKind::kUnsuitable:
    case binlog::ErrorKind::kEnd:
      break;
  }
  return Fail(ExitCodeOf(error.kind), "{}", error.message);
}

// Damage on the way heals by reading again; damage in the file does not.
Result<Step> Relay::OnCorruptEvent(const binlog::Error& error) {
  const std::string place = parts_.transactions.Place();
  corrupt_times_ = place == corrupt_place_ ? corrupt_times_ + 1 : 1;
  corrupt_place_ = place;
  if (corrupt_times_ >= kCorruptTimesMax) {
    return Fail(
        ExitCode::kUndecodable,
        "{} (read {} times) HINT: 'outboxd inspect --server --from file:{}' shows what comes"
        " before it",
        error.message, corrupt_times_, place);
  }
  const Step step = PauseBefore(Phase::kOpenSource, source_back_off_);
  spdlog::warn("source: {}; reading it again in {} ms", error.message, step.pause.count());
  return step;
}

}  // namespace outboxd
