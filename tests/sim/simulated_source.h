#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "binlog/event_source.h"
#include "binlog/failover.h"
#include "daemon/service/clock.h"
#include "tests/sim/faults.h"
#include "tests/sim/simulated_server.h"

namespace outboxd::sim {

// What the relay connects to: one server at a time, and how it answers.
struct Source {
  std::unique_ptr<SimulatedServer> server;
  std::string former_uuid;          // Of the server that a failover replaced; empty: none yet.
  std::deque<std::size_t> lagging;  // What the server still replicates, in order.
  binlog::GtidSet reported_lost;    // What a relay was told that the failover lost.
  bool gtid_mode_is_on = true;
  bool must_ask_by_gtid = false;         // It has been on all the time.
  bool hides_prepared_xa = false;        // XA RECOVER may not be asked.
  bool hides_log_end = false;            // SHOW BINARY LOG STATUS may not be asked.
  std::map<std::size_t, int> corrupted;  // How often, by transaction: the relay gives up at three.
};

// For so long a server that lags may be on its way to what was read.
inline constexpr std::chrono::milliseconds kLagTimeout{50};

// The connection of one process. Checks what it is asked for as MysqlEventSource does.
class SimulatedSource final : public binlog::EventSource {
 public:
  SimulatedSource(Source& source, Faults& faults, const Clock& clock)
      : source_(source), faults_(faults), clock_(clock) {}

  binlog::Result<binlog::StreamIdentity> Open(const binlog::Position& from,
                                              const binlog::KnownHistory& known) override;
  binlog::Result<binlog::Bytes> Next() override;
  void Interrupt() override { is_interrupted_ = true; }
  void Close() override { is_open_ = false; }

  // The server is gone.
  void BreakOff() { is_open_ = false; }

  // Nothing is left to read.
  [[nodiscard]] bool is_at_end() const { return is_open_ && is_at_end_; }
  // The first file that is still to be read; kNone: no stream is open.
  [[nodiscard]] std::size_t reading_file() const { return is_open_ ? file_ : kNone; }

 private:
  struct Pending {
    std::vector<std::uint8_t> bytes;
    std::size_t transaction;
  };

  struct Request {
    const binlog::Position& from;
    const binlog::KnownHistory& known;
    bool accepts_loss;
  };

  using Found = std::expected<binlog::StreamIdentity, binlog::HostAnswer>;

  [[nodiscard]] Found Find(const Request& request);
  [[nodiscard]] Found FindByGtid(const Request& request, binlog::StreamIdentity stream);
  [[nodiscard]] binlog::Result<void> FindByFile(const Request& request);
  void SendHead(std::uint64_t offset);
  void Fill();
  // It stands there between two transactions.
  [[nodiscard]] std::vector<std::uint8_t> Heartbeat(const std::string& file,
                                                    std::uint64_t offset) const;
  [[nodiscard]] bool Corrupts(const Pending& next);

  Source& source_;
  Faults& faults_;
  const Clock& clock_;

  binlog::HostChoice choice_{kLagTimeout};
  bool is_open_ = false;
  bool was_open_ = false;
  bool by_gtid_ = false;
  bool is_interrupted_ = false;
  bool is_at_end_ = false;
  binlog::GtidSet have_;
  std::size_t file_ = 0;
  std::size_t logged_ = 0;  // The next transaction of the file.
  bool skips_ = false;      // The one before was skipped.
  std::deque<Pending> pending_;
  std::vector<std::uint8_t> current_;
};

}  // namespace outboxd::sim
