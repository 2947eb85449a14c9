#include "daemon/relay/stream_feed.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "base/escaped.h"
#include "daemon/exit_code_of.h"

namespace outboxd {

StreamFeed::StreamFeed(Parts parts, Options options) : parts_(parts), options_(options) {
  BeginBehind(parts_.tracker.progress());
}

void StreamFeed::StartOver(const Progress& progress) {
  CloseSource();
  parts_.lag.OnStartOver();
  BeginBehind(progress);
}

void StreamFeed::BeginBehind(const Progress& progress) {
  must_observe_ = false;
  known_ = HistoryOf(progress);
  part_ = progress.part;
  in_part_ = false;
  if (part_ && part_->counting != options_.counting) {
    spdlog::warn(
        "the first {} rows of transaction {} are published again: the event tables, or"
        " which of their rows are events, are others now",
        part_->rows, part_->place);
    part_->rows = 0;
  }
  resume_from_ = progress.position;
  parts_.transactions.ForgetPrepared(progress.prepared);
}

void StreamFeed::CloseSource() {
  parts_.source.Close();
  is_open_ = false;
}

Result<Feed::Advanced> StreamFeed::Advance() {
  using Fed = binlog::TransactionReader::Outcome;
  if (must_observe_) return OnTransaction();
  if (!is_open_) return Open();
  parts_.liveness.ExpectAnswerWithin(options_.read_timeout);
  auto event = parts_.source.Next();
  if (!event) return OnError(event.error());
  auto outcome = parts_.transactions.Feed(*event);
  if (!outcome) return OnError(outcome.error());
  switch (*outcome) {
    case Fed::kNothing:
      break;
    case Fed::kNewFile:
      // By GTID a file alone says nothing; by file it must be followed before it is purged.
      if (!stream_.by_gtid) {
        binlog::Position position = parts_.transactions.position();
        position.gtids = position.gtids.Minus(parts_.transactions.prepared().held_gtids());
        parts_.tracker.PassFile(position);
      }
      break;
    case Fed::kIdle:
      parts_.tracker.ReachPlace(parts_.transactions.reached());
      parts_.lag.OnHeartbeat(parts_.transactions.reached());
      break;
    case Fed::kTransaction:
      return OnTransaction();
  }
  return Advanced{};
}

Result<Feed::Advanced> StreamFeed::Open() {
  parts_.liveness.ExpectAnswerWithin(options_.open_timeout);
  auto stream = parts_.source.Open(resume_from_, known_);
  if (!stream) return OnError(stream.error());
  stream_ = std::move(*stream);
  is_open_ = is_at_begin_ = true;
  parts_.retry.Opened();
  parts_.lag.OnOpened(stream_.server_uuid);
  auto reads_again = OnFailover();
  if (!reads_again) {
    CloseSource();  // Opened anew it tells again what was lost.
    return OnUnrecorded(reads_again.error());
  }
  known_.server_uuid = stream_.server_uuid;
  parts_.tracker.SetServer(stream_);
  if (*reads_again) return Advanced{.outcome = Outcome::kStartOver};
  parts_.transactions.Reset(stream_, resume_from_);
  spdlog::info("reading the binary log of server {} {}", stream_.server_uuid,
               stream_.by_gtid ? "by GTID"
                               : fmt::format("from {}:{}", resume_from_.file, resume_from_.offset));
  return Advanced{};
}

// True: what is held is to be read anew, because a prepared transaction was lost, or its decision.
Result<bool> StreamFeed::OnFailover() {
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
  if (known_.begun && unread.Contains(*known_.begun)) ForgetPart();
  return !undecided->empty() ||
         !lost.Intersect(parts_.transactions.prepared().held_gtids()).empty();
}

Result<Feed::Advanced> StreamFeed::OnTransaction() {
  const binlog::Transaction& transaction = parts_.transactions.transaction();
  // What the server skips before it was read.
  if (std::exchange(is_at_begin_, false)) {
    parts_.tracker.ReachPlace({transaction.file, transaction.begin_offset});
  }
  auto observed = parts_.changes.Observe(transaction);
  must_observe_ = !observed && observed.error().kind == ExitCode::kState;
  if (!observed) return OnUnrecorded(observed.error());
  parts_.retry.Succeeded();
  if (transaction.xa == binlog::XaStep::kHeld && !stream_.by_gtid) {
    spdlog::warn(
        "XA transaction {} at {} is prepared with events: until it is decided the checkpoint stays"
        " before it, so that a restart would publish what comes behind it again",
        Escaped(transaction.xid), PlaceOf(transaction));
  }
  if (auto entered = EnterPart(transaction); !entered) return std::unexpected(entered.error());
  if (!transaction.has_rows) {
    parts_.tracker.Pass(transaction, parts_.transactions.collects_gtids());
    EndTransaction();
    return Advanced{};
  }
  parts_.tracker.Begin(transaction.commit_us);
  parts_.rows.Begin(parts_.transactions.rows());
  event_position_.Begin(transaction);
  return Advanced{.outcome = Outcome::kUnit, .delivered_rows = in_part_ ? part_->rows : 0};
}

// The same GTID or place with another time of commit is another transaction.
Result<void> StreamFeed::EnterPart(const binlog::Transaction& transaction) {
  if (!part_ || part_->place != PlaceOf(transaction)) return {};
  if (part_->commit_us != transaction.commit_us) {
    return Fail(ExitCode::kDiverged,
                "the first {} rows of transaction {} were published, and it is another one now: it "
                "was committed at another time; the server lost it and gave its name again",
                part_->rows, part_->place)
        .Hint("see what the server lost, and choose where to continue with 'outboxd position set'");
  }
  in_part_ = true;
  return {};
}

void StreamFeed::ForgetPart() {
  part_.reset();
  in_part_ = false;
  known_.begun.reset();
}

// Of two transactions at once no checkpoint can hold a part.
std::optional<TransactionPart> StreamFeed::part() const {
  if (part_ && !in_part_) return std::nullopt;
  const binlog::Transaction& transaction = parts_.transactions.transaction();
  return TransactionPart{.place = PlaceOf(transaction),
                         .commit_us = transaction.commit_us,
                         .rows = event_position_.rows(),
                         .counting = options_.counting};
}

binlog::Result<const binlog::Row*> StreamFeed::NextRow() {
  auto row = parts_.rows.Next();
  if (!row) return Fail(row.error(), "event {}", event_position_.NextRow());
  if (*row != nullptr) row_position_ = event_position_.NextRow();
  return row;
}

Result<Step> StreamFeed::OnUnitError(const binlog::Error& error) {
  if (IsWaitedOut(error.kind)) return parts_.retry.OnError(error, parts_.transactions.Place());
  return std::unexpected(AsDaemonError(error));
}

void StreamFeed::EndUnit() {
  parts_.tracker.Finish(parts_.transactions.transaction(), parts_.transactions.collects_gtids());
  EndTransaction();
}

void StreamFeed::EndTransaction() {
  if (in_part_) ForgetPart();
  known_.last_gtid.reset();
  if (parts_.transactions.collects_gtids()) {
    known_.last_gtid = parts_.transactions.transaction().gtid;
    known_.last_commit_us = parts_.transactions.transaction().commit_us;
  }
  // Where it could not begin it stays open until the next file.
  const bool gives_memory_back = parts_.transactions.largest_event() > options_.large_event_bytes &&
                                 parts_.transactions.CanResume();
  if (is_open_ && !gives_memory_back) return;
  CloseSource();
  resume_from_ = parts_.transactions.ResumePosition();
}

Result<Feed::Advanced> StreamFeed::OnUnrecorded(const Error& error) {
  if (error.kind != ExitCode::kState) return std::unexpected(error);
  return Advanced{.step = parts_.retry.OnUnrecorded(error)};
}

Result<Feed::Advanced> StreamFeed::OnError(const binlog::Error& error) {
  const bool was_reading = is_open_;
  CloseSource();
  if (was_reading) resume_from_ = parts_.transactions.ResumePosition();
  const binlog::Error explained = was_reading ? parts_.transactions.Explained(error) : error;
  auto step = parts_.retry.OnError(explained, parts_.transactions.Place());
  if (!step) return std::unexpected(step.error());
  return Advanced{.step = *step};
}

}  // namespace outboxd
