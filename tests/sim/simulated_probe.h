#pragma once

#include "binlog/server_probe.h"
#include "daemon/service/clock.h"
#include "tests/sim/faults.h"
#include "tests/sim/simulated_source.h"

namespace outboxd::sim {

// Asks the simulated server about itself.
class SimulatedProbe final : public binlog::ServerProbe {
 public:
  SimulatedProbe(const Source& source, Faults& faults, const Clock& clock)
      : source_(source), faults_(faults), clock_(clock) {}

  binlog::Result<void> Open(const binlog::StreamIdentity& stream) override {
    if (faults_.Strike(faults_.rates().source_open) ||
        stream.server_uuid != source_.server->uuid()) {
      return Fail(binlog::ErrorKind::kDisconnected, "injected, or another server");
    }
    return {};
  }
  void Interrupt() override {}
  binlog::Result<std::uint64_t> TimeOfDay() override { return clock_.WallMicroseconds(); }
  binlog::Result<binlog::LogEnd> EndOfLog() override {
    if (source_.hides_log_end) return Fail(binlog::ErrorKind::kDenied, "it may not be asked");
    const SimulatedServer::File& file = source_.server->files().back();
    return binlog::LogEnd{file.name, file.end};
  }
  binlog::Result<binlog::ReplicaStanding> StandingToSource() override {
    return source_.lagging.empty() ? binlog::ReplicaStanding::kNone
                                   : binlog::ReplicaStanding::kBehind;
  }
  binlog::Result<std::vector<binlog::LogFile>> Files() override {
    std::vector<binlog::LogFile> files;
    const auto& all = source_.server->files();
    for (std::size_t i = source_.server->first_file(); i < all.size(); ++i) {
      files.push_back({all[i].name, all[i].end});
    }
    return files;
  }
  binlog::Result<std::chrono::seconds> Expiry() override { return std::chrono::days(30); }
  binlog::Result<std::uint64_t> BeginOf(const std::string&) override {
    return clock_.WallMicroseconds();
  }

 private:
  const Source& source_;
  Faults& faults_;
  const Clock& clock_;
};

}  // namespace outboxd::sim
