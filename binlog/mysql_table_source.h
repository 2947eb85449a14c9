#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/interrupter.h"
#include "binlog/mysql_connection.h"
#include "binlog/table_key.h"
#include "binlog/table_source.h"

namespace outboxd::binlog {

class MysqlServer;

struct MysqlTableSourceOptions {
  std::vector<ConnectionOptions> hosts;  // As the event source has them.
  // How long a locking read waits for a transaction before it fails with kDisconnected.
  std::chrono::seconds lock_wait_timeout{5};
};

// Reads tables by SELECT. It is closed after kInterrupted as well; not by what the server refuses
// (kUnsuitable, kDenied). A chunk that is broken off costs the connection: the next call makes a
// new one to the same server.
class MysqlTableSource final : public TableSource {
 public:
  explicit MysqlTableSource(MysqlTableSourceOptions options);
  ~MysqlTableSource() override;

  [[nodiscard]] Result<void> Open(const StreamIdentity& stream) override;
  void Close() override;
  void Interrupt() override;

  [[nodiscard]] Result<std::vector<TableToRead>> Describe(std::string_view schema_pattern,
                                                          std::string_view table_pattern) override;
  [[nodiscard]] Result<std::optional<std::set<std::string>>> PreparedXa() override;
  [[nodiscard]] Result<LogEnd> EndOfLog() override;
  [[nodiscard]] Result<std::optional<KeyValues>> HighestKey(const TableToRead& table,
                                                            bool waits_for_commits) override;
  [[nodiscard]] Result<std::vector<KeyPlace>> PlacesOf(const TableKey& key,
                                                       const std::vector<KeyValues>& keys) override;
  [[nodiscard]] Result<std::optional<Chunk>> Read(const ChunkRequest& request) override;

 private:
  [[nodiscard]] Result<void> Connect();
  [[nodiscard]] Result<void> PrepareSession(MysqlServer& server);
  [[nodiscard]] Result<MysqlServer*> Server();
  [[nodiscard]] std::unexpected<Error> Failed(const Error& error);
  [[nodiscard]] std::unexpected<Error> FailedToRead(const Error& error, const TableToRead& table);
  [[nodiscard]] std::string_view LockWords(bool waits_for_commits) const;
  [[nodiscard]] Result<TableKey> ReadKey(MysqlServer& server, const TableFacts& table);
  [[nodiscard]] Result<void> LearnSpaces(MysqlServer& server, const TableKey& key);
  using Weights = std::vector<std::optional<std::string>>;
  [[nodiscard]] Result<Weights> AskForWeights(MysqlServer& server, const TableKey& key,
                                              const std::vector<KeyValues>& keys);

  // Constant after construction.
  MysqlTableSourceOptions options_;

  // Reader thread only.
  std::unique_ptr<MysqlServer> server_;
  std::size_t host_ = 0;
  std::string server_uuid_;
  bool is_open_ = false;  // Without a connection: the last chunk was broken off.
  bool has_for_share_ = false;
  std::map<std::string, std::string, std::less<>> spaces_;  // Weights of a blank by collation.

  Interrupter interrupter_;
};

}  // namespace outboxd::binlog
