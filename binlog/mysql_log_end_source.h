#pragma once

#include <memory>
#include <string>
#include <vector>

#include "binlog/interrupter.h"
#include "binlog/log_end_source.h"
#include "binlog/mysql_connection.h"

namespace outboxd::binlog {

class MysqlServer;

// Asks a MySQL server by SHOW BINARY LOG STATUS and SHOW BINARY LOGS. No call takes longer than
// about 20 s, but for the look-up of a host's name.
class MysqlLogEndSource final : public LogEndSource {
 public:
  // `hosts`: as the event source has them.
  explicit MysqlLogEndSource(std::vector<ConnectionOptions> hosts);
  ~MysqlLogEndSource() override;

  [[nodiscard]] Result<void> Open(const StreamIdentity& stream) override;
  void Interrupt() override;
  [[nodiscard]] Result<LogEnd> EndOfLog() override;
  [[nodiscard]] Result<std::vector<LogFile>> Files() override;

 private:
  [[nodiscard]] Result<void> Connect(const StreamIdentity& stream);
  void Close();
  // `answer`, or what it means that there is none.
  template <typename T>
  [[nodiscard]] Result<T> Checked(Result<T> answer);

  // Constant after construction.
  std::vector<ConnectionOptions> hosts_;

  std::unique_ptr<MysqlServer> server_;  // Null: closed.
  std::string server_uuid_;              // Of that server.

  Interrupter interrupter_;
};

}  // namespace outboxd::binlog
