#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "binlog/server_probe.h"
#include "daemon/service/clock.h"

namespace outboxd {

// A server whose log is a list of files.
class FakeProbe final : public binlog::ServerProbe {
 public:
  explicit FakeProbe(const Clock& its_clock) : clock(its_clock) {}

  binlog::Result<void> Open(const binlog::StreamIdentity& stream) override {
    opened = stream;
    if (open_error) return std::unexpected(*open_error);
    return {};
  }
  void Interrupt() override { ++interrupted; }
  binlog::Result<binlog::LogEnd> EndOfLog() override {
    ++ends_asked;
    if (breaks_connection) {
      breaks_connection = false;
      return Fail(binlog::ErrorKind::kDisconnected, "it was idle for too long");
    }
    if (end_error) return std::unexpected(*end_error);
    binlog::LogEnd end{files.back().name, files.back().end_offset};
    if (while_asked) while_asked();
    return end;
  }
  binlog::Result<std::uint64_t> TimeOfDay() override {
    if (time_error) return std::unexpected(*time_error);
    if (while_told_time) while_told_time();
    return clock.WallMicroseconds() + ahead_us;
  }
  binlog::Result<binlog::ReplicaStanding> StandingToSource() override { return standing; }
  binlog::Result<std::vector<binlog::LogFile>> Files() override {
    ++files_asked;
    if (files_error) return std::unexpected(*files_error);
    return files;
  }
  binlog::Result<std::chrono::seconds> Expiry() override { return expiry; }
  binlog::Result<std::uint64_t> BeginOf(const std::string& file) override {
    begins_asked.push_back(file);
    if (begin_error) return std::unexpected(*begin_error);
    return begun_us;
  }

  const Clock& clock;
  std::vector<binlog::LogFile> files = {{"binlog.000001", 1000}};
  std::optional<binlog::Error> open_error, time_error, end_error, files_error;
  std::function<void()> while_asked, while_told_time;
  std::uint64_t ahead_us = 0;
  binlog::ReplicaStanding standing = binlog::ReplicaStanding::kNone;
  binlog::StreamIdentity opened;
  bool breaks_connection = false;  // At the next question.
  std::chrono::seconds expiry{std::chrono::days(30)};
  std::uint64_t begun_us = clock.WallMicroseconds();  // Each file.
  std::optional<binlog::Error> begin_error;
  std::vector<std::string> begins_asked;
  int ends_asked = 0, files_asked = 0, interrupted = 0;
};

}  // namespace outboxd
