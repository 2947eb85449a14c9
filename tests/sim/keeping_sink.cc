#include "tests/sim/keeping_sink.h"

#include "daemon/checkpoint/checkpoint_format.h"

namespace outboxd::sim {

using sinks::ErrorKind;
using sinks::PublishOutcome;

sinks::Result<sinks::OpenedSink> KeepingSink::Open(std::chrono::milliseconds) {
  faults_.Yield("opening the sink");
  Drop();
  if (faults_.Strike(faults_.rates().sink_open)) {
    faults_.Note("sink: Open fails");
    return Fail(ErrorKind::kUnreachable, "injected");
  }
  faults_.Note("sink: opened, it keeps {} checkpoint", kept_ ? "a" : "no");
  is_open_ = true;
  return sinks::OpenedSink{.identity = "cluster", .keeps_checkpoints = true, .checkpoint = kept_};
}

sinks::Result<PublishOutcome> KeepingSink::Publish(const sinks::Message& message,
                                                   sinks::DeliveryId id) {
  faults_.Yield("publishing");
  const std::size_t index = checker_.OnPublish(message);
  if (!is_usable()) return Fail(ErrorKind::kProducerLost, "not open");
  faults_.Note("sink: takes event {} as delivery {}", index, id);
  invisible_.push_back({id, index, HistoryChecker::RoadOf(message)});
  return PublishOutcome::kAccepted;
}

sinks::Result<PublishOutcome> KeepingSink::AtBoundary(const sinks::Boundary& boundary) {
  faults_.Yield("at a boundary");
  if (!is_usable()) return Fail(ErrorKind::kProducerLost, "not open");
  SeededRandom& random = faults_.random();
  const bool must = boundary.is_last() && !invisible_.empty();
  if (!must && !random.OneIn(invisible_.empty() ? 16 : 2)) return PublishOutcome::kAccepted;
  if (random.OneIn(8)) return PublishOutcome::kFull;
  const std::string checkpoint = boundary.Checkpoint();
  faults_.Yield("before messages become visible");
  const bool is_lost = faults_.Strike(faults_.rates().lost_producer);
  if (!is_lost || random.OneIn(2)) MakeVisible(checkpoint);
  faults_.Yield("behind messages that became visible");
  if (!is_lost) return PublishOutcome::kAccepted;
  delivered_.clear();  // Nobody is told.
  Lose("at a boundary");
  return Fail(ErrorKind::kProducerLost, "at a boundary");
}

void KeepingSink::MakeVisible(const std::string& checkpoint) {
  if (!invisible_.empty()) faults_.Note("broker: {} messages become visible", invisible_.size());
  for (const Sent& sent : invisible_) {
    checker_.OnAppend(sent.event, sent.road);
    checker_.OnAcknowledge(sent.event);
    delivered_.push_back(sent.id);
  }
  invisible_.clear();
  auto decoded = DecodeCheckpoint(checkpoint, "shop", "kept");
  if (!decoded) throw Violation{decoded.error().message};
  checker_.OnKept(*decoded);
  kept_ = checkpoint;
}

void KeepingSink::Poll(std::chrono::milliseconds, sinks::DeliveryReports& reports) {
  faults_.Yield("polling");
  reports.delivered.insert(reports.delivered.end(), delivered_.begin(), delivered_.end());
  delivered_.clear();
  if (lost_) reports.lost = lost_;
}

void KeepingSink::Lose(const std::string& reason) {
  faults_.Note("sink: the producer is lost");
  invisible_.clear();
  lost_ = sinks::Error{ErrorKind::kProducerLost, reason};
}

void KeepingSink::Step() {
  if (is_usable() && faults_.Strike(faults_.rates().lost_producer)) Lose("injected");
}

void KeepingSink::Drop() {
  invisible_.clear();
  delivered_.clear();
  lost_.reset();
  is_open_ = false;
}

}  // namespace outboxd::sim
