#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "binlog/event_header.h"
#include "binlog/gtid_event.h"
#include "daemon/checkpoint/checkpoint_format.h"
#include "tests/sim/simulated_process.h"

namespace outboxd::sim {

// Passes everything on; derived classes do one thing wrong.
class PassingSource : public binlog::EventSource {
 public:
  explicit PassingSource(binlog::EventSource& inner) : inner_(inner) {}

  binlog::Result<binlog::StreamIdentity> Open(const binlog::Position& from,
                                              const binlog::KnownHistory& known) override {
    return inner_.Open(from, known);
  }
  binlog::Result<binlog::Bytes> Next() override { return inner_.Next(); }
  void Interrupt() override { inner_.Interrupt(); }
  void Close() override { inner_.Close(); }

 protected:
  binlog::EventSource& inner_;
};

class PassingSink : public sinks::Sink {
 public:
  explicit PassingSink(sinks::Sink& inner) : inner_(inner) {}

  sinks::Result<sinks::OpenedSink> Open(std::chrono::milliseconds timeout) override {
    return inner_.Open(timeout);
  }
  sinks::Result<sinks::PublishOutcome> AtBoundary(const sinks::Boundary& boundary) override {
    return inner_.AtBoundary(boundary);
  }
  sinks::Result<sinks::PublishOutcome> Publish(const sinks::Message& message,
                                               sinks::DeliveryId id) override {
    return inner_.Publish(message, id);
  }
  void WaitForRoom(std::chrono::milliseconds timeout) override { inner_.WaitForRoom(timeout); }
  void Poll(std::chrono::milliseconds timeout, sinks::DeliveryReports& reports) override {
    inner_.Poll(timeout, reports);
  }
  void Wake() override { inner_.Wake(); }
  void Close() override { inner_.Close(); }

 protected:
  sinks::Sink& inner_;
};

// The GTIDs of a stream by their events, and where its transactions end.
class GtidWatch {
 public:
  void See(binlog::Bytes event) {
    const auto header = binlog::ParseEventHeader(event);
    if (!header) return;
    if (header->type == binlog::EventType::kGtid) {
      const auto parsed =
          binlog::ParseGtidEvent(header->type, event.subspan(binlog::kEventHeaderBytes));
      if (parsed) opened_ = parsed->gtid;
    }
    if (header->type == binlog::EventType::kXid && opened_) {
      complete_.Add(*opened_);
      opened_.reset();
    }
  }
  [[nodiscard]] const std::optional<binlog::Gtid>& opened() const { return opened_; }
  [[nodiscard]] const binlog::GtidSet& complete() const { return complete_; }

 private:
  std::optional<binlog::Gtid> opened_;
  binlog::GtidSet complete_;
};

// Sees every event on its way to the relay.
class WatchedSource : public PassingSource {
 public:
  WatchedSource(binlog::EventSource& inner, GtidWatch& watch)
      : PassingSource(inner), watch_(watch) {}
  binlog::Result<binlog::Bytes> Next() override {
    auto event = inner_.Next();
    if (event) watch_.See(*event);
    return event;
  }

 protected:
  GtidWatch& watch_;
};

// Bug: a transaction counts as read from its GTID event on, not from its terminator.
class EarlyGtid final : public Interposer {
 public:
  using Interposer::Around;
  binlog::EventSource& Around(binlog::EventSource& source) override {
    watch_ = {};
    return source_.emplace(source, watch_);
  }

 private:
  class EarlySource final : public WatchedSource {
   public:
    using WatchedSource::WatchedSource;
    binlog::Result<binlog::StreamIdentity> Open(const binlog::Position& from,
                                                const binlog::KnownHistory& known) override {
      binlog::Position ahead = from;
      if (watch_.opened() && !from.gtids.empty()) ahead.gtids.Add(*watch_.opened());
      return inner_.Open(ahead, known);
    }
  };
  GtidWatch watch_;  // Of one process.
  std::optional<EarlySource> source_;
};

// Bug: with the first acknowledgement of a transaction all its messages count as delivered.
class FirstRowIsEnough final : public Interposer {
 public:
  using Interposer::Around;
  sinks::Sink& Around(sinks::Sink& sink) override { return sink_.emplace(sink); }

 private:
  class HastySink final : public PassingSink {
   public:
    using PassingSink::PassingSink;
    sinks::Result<sinks::PublishOutcome> Publish(const sinks::Message& message,
                                                 sinks::DeliveryId id) override {
      const auto outcome = inner_.Publish(message, id);
      if (outcome == sinks::PublishOutcome::kAccepted) transactions_[id] = TransactionOf(message);
      return outcome;
    }
    void Poll(std::chrono::milliseconds timeout, sinks::DeliveryReports& reports) override {
      inner_.Poll(timeout, reports);
      const std::vector<sinks::DeliveryId> delivered = reports.delivered;
      for (const sinks::DeliveryId id : delivered) {
        const std::string transaction = transactions_[id];
        for (const auto& [other, of] : transactions_) {
          if (other != id && of == transaction) reports.delivered.push_back(other);
        }
      }
    }

   private:
    // outboxd.position without the row's number.
    static std::string TransactionOf(const sinks::Message& message) {
      for (const sinks::Header& header : message.headers) {
        if (header.name != "outboxd.position") continue;
        return std::string(header.value->substr(0, header.value->rfind(':')));
      }
      return {};
    }
    std::map<sinks::DeliveryId, std::string> transactions_;
  };
  std::optional<HastySink> sink_;
};

// Bug: a dead letter counts as delivered once it is handed over, and is lost on the way.
class UnansweredDeadLetter final : public Interposer {
 public:
  using Interposer::Around;
  sinks::Sink& Around(sinks::Sink& sink) override { return sink_.emplace(sink); }

 private:
  class ForgetfulSink final : public PassingSink {
   public:
    using PassingSink::PassingSink;
    sinks::Result<sinks::PublishOutcome> Publish(const sinks::Message& message,
                                                 sinks::DeliveryId id) override {
      if (message.topic != kDeadLetterTopic) return inner_.Publish(message, id);
      forgotten_.push_back(id);
      return sinks::PublishOutcome::kAccepted;
    }
    void Poll(std::chrono::milliseconds timeout, sinks::DeliveryReports& reports) override {
      inner_.Poll(timeout, reports);
      reports.delivered.insert(reports.delivered.end(), forgotten_.begin(), forgotten_.end());
      forgotten_.clear();
    }

   private:
    std::vector<sinks::DeliveryId> forgotten_;
  };
  std::optional<ForgetfulSink> sink_;
};

// Bug: the checkpoint holds what was read, not what was acknowledged.
class CheckpointOfWhatWasRead final : public Interposer {
 public:
  using Interposer::Around;
  binlog::EventSource& Around(binlog::EventSource& source) override {
    return source_.emplace(source, watch_);
  }
  CheckpointStore& Around(CheckpointStore& store) override { return store_.emplace(store, watch_); }

 private:
  class EagerStore final : public CheckpointStore {
   public:
    EagerStore(CheckpointStore& inner, const GtidWatch& watch) : inner_(inner), watch_(watch) {}
    Result<std::optional<Checkpoint>> Load() override { return inner_.Load(); }
    Result<void> Settle() override { return inner_.Settle(); }
    Result<void> Store(const Checkpoint& checkpoint) override {
      Checkpoint ahead = checkpoint;
      ahead.position.gtids.Unite(watch_.complete());
      return inner_.Store(ahead);
    }

   private:
    CheckpointStore& inner_;
    const GtidWatch& watch_;
  };
  GtidWatch watch_;
  std::optional<WatchedSource> source_;
  std::optional<EagerStore> store_;
};

// Bug: the reader does not notice that the log goes on in another file.
class LostRotation final : public Interposer {
 public:
  using Interposer::Around;
  binlog::EventSource& Around(binlog::EventSource& source) override {
    return source_.emplace(source);
  }

 private:
  class OneFileSource final : public PassingSource {
   public:
    using PassingSource::PassingSource;
    binlog::Result<binlog::Bytes> Next() override {
      auto event = inner_.Next();
      while (event && IsRotate(*event)) event = inner_.Next();
      return event;
    }

   private:
    static bool IsRotate(binlog::Bytes event) {
      const auto header = binlog::ParseEventHeader(event);
      return header && header->type == binlog::EventType::kRotate;
    }
  };
  std::optional<OneFileSource> source_;
};

// Bug: what found no room is not tried again, and counts as delivered.
class DroppedRetry final : public Interposer {
 public:
  using Interposer::Around;
  sinks::Sink& Around(sinks::Sink& sink) override { return sink_.emplace(sink); }

 private:
  class DroppingSink final : public PassingSink {
   public:
    using PassingSink::PassingSink;
    sinks::Result<sinks::PublishOutcome> Publish(const sinks::Message& message,
                                                 sinks::DeliveryId id) override {
      const auto outcome = inner_.Publish(message, id);
      if (outcome != sinks::PublishOutcome::kFull) return outcome;
      dropped_.push_back(id);
      return sinks::PublishOutcome::kAccepted;
    }
    void Poll(std::chrono::milliseconds timeout, sinks::DeliveryReports& reports) override {
      inner_.Poll(timeout, reports);
      reports.delivered.insert(reports.delivered.end(), dropped_.begin(), dropped_.end());
      dropped_.clear();
    }

   private:
    std::vector<sinks::DeliveryId> dropped_;
  };
  std::optional<DroppingSink> sink_;
};

// Bug: after the producer was lost the stream goes on behind what was read, and what was in flight
// is not sent again.
class NoReplay final : public Interposer {
 public:
  using Interposer::Around;
  binlog::EventSource& Around(binlog::EventSource& source) override {
    watch_ = {};
    return source_.emplace(source, watch_);
  }

 private:
  class ForwardSource final : public WatchedSource {
   public:
    using WatchedSource::WatchedSource;
    binlog::Result<binlog::StreamIdentity> Open(const binlog::Position& from,
                                                const binlog::KnownHistory& known) override {
      binlog::Position ahead = from;
      ahead.gtids.Unite(watch_.complete());
      return inner_.Open(ahead, known);
    }
  };
  GtidWatch watch_;  // Of one process.
  std::optional<ForwardSource> source_;
};

// Bug: what a failover lost stays within what was read.
class UnnoticedLoss final : public Interposer {
 public:
  using Interposer::Around;
  binlog::EventSource& Around(binlog::EventSource& source) override {
    return source_.emplace(source);
  }

 private:
  class SilentSource final : public PassingSource {
   public:
    using PassingSource::PassingSource;
    binlog::Result<binlog::StreamIdentity> Open(const binlog::Position& from,
                                                const binlog::KnownHistory& known) override {
      auto stream = inner_.Open(from, known);
      if (stream) stream->lost = {};
      return stream;
    }
  };
  std::optional<SilentSource> source_;
};

// Bug: a transaction of which only a part was published counts as unknown.
class UnnoticedLossOfPart final : public Interposer {
 public:
  using Interposer::Around;
  binlog::EventSource& Around(binlog::EventSource& source) override {
    return source_.emplace(source);
  }

 private:
  class ForgetfulSource final : public PassingSource {
   public:
    using PassingSource::PassingSource;
    binlog::Result<binlog::StreamIdentity> Open(const binlog::Position& from,
                                                const binlog::KnownHistory& known) override {
      binlog::KnownHistory without = known;
      without.begun.reset();
      return inner_.Open(from, without);
    }
  };
  std::optional<ForgetfulSource> source_;
};

// Bug: the checkpoint that the sink keeps is not looked at.
class IgnoredCheckpoint final : public Interposer {
 public:
  std::optional<std::string> Kept(const std::optional<std::string>&) override {
    return std::nullopt;
  }
};

// Changes what the sink keeps of a part of a transaction, as a process finds it.
class ChangedPart : public Interposer {
 public:
  std::optional<std::string> Kept(const std::optional<std::string>& kept) override {
    if (!kept) return kept;
    auto checkpoint = DecodeCheckpoint(*kept, "shop", "kept");
    if (!checkpoint || !checkpoint->part) return kept;
    Change(checkpoint->part);
    return EncodeCheckpoint(*checkpoint).value();
  }

 private:
  virtual void Change(std::optional<TransactionPart>& part) = 0;
};

// Bug: a transaction of which a part is delivered is begun at its first row.
class ForgottenPart final : public ChangedPart {
  void Change(std::optional<TransactionPart>& part) override { part.reset(); }
};

// Bug: the row behind the boundary counts as delivered too.
class PartOfOneRowMore final : public ChangedPart {
  void Change(std::optional<TransactionPart>& part) override { ++part->rows; }
};

// Bug: with the messages goes the checkpoint of the boundary before.
class StaleBoundary final : public Interposer {
 public:
  using Interposer::Around;
  sinks::Sink& Around(sinks::Sink& sink) override { return sink_.emplace(sink); }

 private:
  class StaleSink final : public PassingSink {
   public:
    using PassingSink::PassingSink;
    sinks::Result<sinks::PublishOutcome> AtBoundary(const sinks::Boundary& boundary) override {
      return inner_.AtBoundary(OneBefore(*this, boundary));
    }

   private:
    class OneBefore final : public sinks::Boundary {
     public:
      OneBefore(StaleSink& sink, const sinks::Boundary& inner) : sink_(sink), inner_(inner) {}
      [[nodiscard]] std::string Checkpoint() const override {
        const std::string now = inner_.Checkpoint();
        return std::exchange(sink_.before_, now).value_or(now);
      }
      [[nodiscard]] bool is_last() const override { return inner_.is_last(); }

     private:
      StaleSink& sink_;
      const sinks::Boundary& inner_;
    };
    std::optional<std::string> before_;
  };
  std::optional<StaleSink> sink_;
};

// Bug: a new producer takes the place of one with messages in flight.
class RenewalWithoutWaiting final : public Interposer {
 public:
  void Renew(RelayCore&, SinkOwner& sink) override { sink.Close(); }
};

// Bug: the producer is given up as one that is lost, whatever it has in flight.
class RenewalByLoss final : public Interposer {
 public:
  void Renew(RelayCore& core, SinkOwner&) override {
    core.tracker().Report({.delivered = {},
                           .failed = {},
                           .lost = sinks::Error{sinks::ErrorKind::kProducerLost, "renewed"}});
  }
};

}  // namespace outboxd::sim
