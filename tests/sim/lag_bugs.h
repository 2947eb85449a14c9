#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "binlog/event_header.h"
#include "tests/sim/injected_bugs.h"

namespace outboxd::sim {

// Passes everything on; derived classes do one thing wrong.
class PassingProbe : public binlog::ServerProbe {
 public:
  explicit PassingProbe(binlog::ServerProbe& inner) : inner_(inner) {}

  binlog::Result<void> Open(const binlog::StreamIdentity& stream) override {
    return inner_.Open(stream);
  }
  void Interrupt() override { inner_.Interrupt(); }
  binlog::Result<std::uint64_t> TimeOfDay() override { return inner_.TimeOfDay(); }
  binlog::Result<binlog::LogEnd> EndOfLog() override { return inner_.EndOfLog(); }
  binlog::Result<binlog::ReplicaStanding> StandingToSource() override {
    return inner_.StandingToSource();
  }
  binlog::Result<std::vector<binlog::LogFile>> Files() override { return inner_.Files(); }
  binlog::Result<std::chrono::seconds> Expiry() override { return inner_.Expiry(); }
  binlog::Result<std::uint64_t> BeginOf(const std::string& file) override {
    return inner_.BeginOf(file);
  }

 protected:
  binlog::ServerProbe& inner_;
};

template <typename Probe>
class AroundProbe : public Interposer {
 public:
  using Interposer::Around;
  binlog::ServerProbe& Around(binlog::ServerProbe& probe) override { return probe_.emplace(probe); }

 private:
  std::optional<Probe> probe_;
};

// Bug: one heartbeat counts as many, so that one of those proves that come while the server skips.
class OneHeartbeatIsEnough final : public Interposer {
 public:
  using Interposer::Around;
  binlog::EventSource& Around(binlog::EventSource& source) override {
    return source_.emplace(source);
  }

 private:
  class RepeatingSource final : public PassingSource {
   public:
    using PassingSource::PassingSource;
    binlog::Result<binlog::Bytes> Next() override {
      if (left_ > 0) {
        --left_;
        return binlog::Bytes(heartbeat_);
      }
      auto event = inner_.Next();
      if (!event) return event;
      const auto header = binlog::ParseEventHeader(*event);
      if (header && header->type == binlog::EventType::kHeartbeat) {
        heartbeat_.assign(event->begin(), event->end());
        left_ = 2;
      }
      return event;
    }
    void Close() override {
      left_ = 0;
      inner_.Close();
    }

   private:
    std::vector<std::uint8_t> heartbeat_;
    int left_ = 0;
  };
  std::optional<RepeatingSource> source_;
};

// Bug: the end of the log is the one of the question before.
class StaleLogEndProbe final : public PassingProbe {
 public:
  using PassingProbe::PassingProbe;
  binlog::Result<binlog::LogEnd> EndOfLog() override {
    auto end = inner_.EndOfLog();
    if (end && former_) std::swap(*end, *former_);
    if (end && !former_) former_ = *end;
    return end;
  }

 private:
  std::optional<binlog::LogEnd> former_;
};

// Bug: a replica that is behind is taken for one that is not.
class ReplicaIsItsSourceProbe final : public PassingProbe {
 public:
  using PassingProbe::PassingProbe;
  binlog::Result<binlog::ReplicaStanding> StandingToSource() override {
    return binlog::ReplicaStanding::kNone;
  }
};

// Bug: the age of a commit is by a clock that is behind.
class LateClockProbe final : public PassingProbe {
 public:
  using PassingProbe::PassingProbe;
  binlog::Result<std::uint64_t> TimeOfDay() override {
    auto time = inner_.TimeOfDay();
    if (time) *time -= 30'000;
    return time;
  }
};

}  // namespace outboxd::sim
