#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "binlog/event_header.h"
#include "binlog/gtid_set.h"
#include "binlog/position.h"
#include "tests/binlog/event_bytes.h"
#include "tests/sim/commit_stages.h"
#include "tests/sim/faults.h"
#include "tests/sim/history.h"

namespace outboxd::sim {

using EventBytesList = std::vector<std::vector<std::uint8_t>>;

// A MySQL server as far as its binary log and its event table go: files of whole binlog events,
// GTIDs, purging, and how far each transaction has come.
class SimulatedServer {
 public:
  struct Settings {
    bool logs_gtids = true;
    bool has_checksums = true;
    // A transaction in the log is committed later, by turns of stages(); else at once.
    bool commits_in_stages = false;
  };
  struct Logged {
    std::size_t transaction;
    std::uint64_t begin, end;
    EventBytesList events;
  };
  struct File {
    std::string name;
    binlog::GtidSet previous;
    EventBytesList head;      // FORMAT_DESCRIPTION and PREVIOUS_GTIDS.
    std::uint64_t first = 0;  // Where the first transaction begins.
    std::vector<Logged> logged;
    std::uint64_t end = 0;
    bool is_closed = false;
    std::vector<std::uint8_t> rotate;  // None: the server crashed at the end of the file.
  };

  SimulatedServer(std::string uuid, Settings settings, const History& history);

  // Writes a transaction that has its GTID. One that is torn is left without its last events, and a
  // new file begins.
  void Log(std::size_t transaction);
  void Rotate();
  // Deletes the files before this one.
  void PurgeBefore(std::size_t file);
  [[nodiscard]] CommitStages& stages() { return stages_; }
  [[nodiscard]] const CommitStages& stages() const { return stages_; }

  [[nodiscard]] const std::string& uuid() const { return uuid_; }
  [[nodiscard]] bool logs_gtids() const { return settings_.logs_gtids; }
  [[nodiscard]] bool has_checksums() const { return settings_.has_checksums; }
  [[nodiscard]] bool commits_in_stages() const { return settings_.commits_in_stages; }
  [[nodiscard]] const std::vector<File>& files() const { return files_; }
  [[nodiscard]] std::size_t first_file() const { return first_file_; }
  [[nodiscard]] const std::vector<std::size_t>& order() const { return order_; }
  // The GTIDs of its log; gtid_executed, in stages(), may lack the last of them.
  [[nodiscard]] const binlog::GtidSet& logged_gtids() const { return logged_gtids_; }
  [[nodiscard]] const binlog::GtidSet& purged() const { return purged_; }
  // Index of the file, purged ones included; kNone: there never was one.
  [[nodiscard]] std::size_t FileNamed(const std::string& name) const;
  // Whether a transaction begins or ends there.
  [[nodiscard]] bool IsBoundary(std::size_t file, std::uint64_t offset) const;
  // None: it has no GTID, or is torn.
  [[nodiscard]] std::optional<binlog::Gtid> GtidOf(std::size_t transaction) const;
  // Its GTID, or file and offset of its beginning.
  [[nodiscard]] std::string NameOf(std::size_t transaction) const;
  // File and end of a transaction.
  [[nodiscard]] std::pair<std::size_t, std::uint64_t> PlaceOf(std::size_t transaction) const;

  // An event that stands in no file.
  [[nodiscard]] std::vector<std::uint8_t> Artificial(binlog::EventType type,
                                                     const binlog::EventBytes& body) const;
  [[nodiscard]] std::vector<std::uint8_t> FormatDescription(std::uint32_t log_pos) const;

 private:
  void BeginFile();
  std::vector<std::uint8_t> Append(binlog::EventType type, const binlog::EventBytes& body);

  const std::string uuid_;
  const Settings settings_;
  const History& history_;
  std::vector<File> files_;
  std::size_t first_file_ = 0;
  std::vector<std::size_t> order_;
  std::vector<std::pair<std::size_t, std::uint64_t>> places_;  // By transaction.
  binlog::GtidSet logged_gtids_, purged_;
  CommitStages stages_;
};

}  // namespace outboxd::sim
