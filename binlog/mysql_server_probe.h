#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "binlog/interrupter.h"
#include "binlog/mysql_connection.h"
#include "binlog/mysql_file_begin.h"
#include "binlog/server_probe.h"

namespace outboxd::binlog {

class MysqlServer;

// Asks a MySQL server by SHOW BINARY LOG STATUS, SHOW BINARY LOGS and SHOW REPLICA STATUS, and by
// the first event of a file. No call takes longer than about 20 s, but for the look-up of a host's
// name.
class MysqlServerProbe final : public ServerProbe {
 public:
  // `hosts`: as the event source has them. `identity`: for BeginOf(), of nobody else.
  MysqlServerProbe(std::vector<ConnectionOptions> hosts, ReplicaIdentity identity);
  ~MysqlServerProbe() override;

  [[nodiscard]] Result<void> Open(const StreamIdentity& stream) override;
  void Interrupt() override;
  [[nodiscard]] Result<std::uint64_t> TimeOfDay() override;
  [[nodiscard]] Result<LogEnd> EndOfLog() override;
  [[nodiscard]] Result<ReplicaStanding> StandingToSource() override;
  [[nodiscard]] Result<std::vector<LogFile>> Files() override;
  [[nodiscard]] Result<std::chrono::seconds> Expiry() override;
  [[nodiscard]] Result<std::uint64_t> BeginOf(const std::string& file) override;

 private:
  [[nodiscard]] Result<void> Connect(const StreamIdentity& stream);
  void Close();
  // `answer`, or what it means that there is none.
  template <typename T>
  [[nodiscard]] Result<T> Checked(Result<T> answer);
  // What `ask` is told over the connection.
  template <typename T>
  [[nodiscard]] Result<T> Asked(Result<T> (*ask)(MysqlConnection& connection));

  // Constant after construction.
  std::vector<ConnectionOptions> hosts_;
  const ReplicaIdentity identity_;

  std::unique_ptr<MysqlServer> server_;  // Null: closed.
  std::string server_uuid_;              // Of that server.
  std::size_t host_ = 0;                 // Which one it is.

  Interrupter interrupter_, begin_interrupter_;
};

}  // namespace outboxd::binlog
