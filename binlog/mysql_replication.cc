#include "binlog/mysql_replication.h"

#include "binlog/mysql_connection.h"

namespace outboxd::binlog {
namespace {

Result<Replication> AskForChannels(MysqlConnection& connection, const GtidSet& missing) {
  // Columns of SHOW REPLICA STATUS, in their order since 5.7.
  constexpr std::size_t kReceiverIsRunning = 10;
  constexpr std::size_t kApplierIsRunning = 11;
  constexpr std::size_t kSourceUuid = 40;
  constexpr std::size_t kReceived = 51;
  auto channels = connection.Query("SHOW REPLICA STATUS");
  if (!channels && channels.error().kind == ErrorKind::kUnsuitable) {
    channels = connection.Query("SHOW SLAVE STATUS");
  }
  if (!channels) return std::unexpected(channels.error());
  Replication replication;
  for (const ResultRow& channel : *channels) {
    if (channel.size() <= kReceived) continue;
    if (channel[kReceiverIsRunning] == "Yes") {
      replication.sources.push_back(channel[kSourceUuid].value_or(""));
    }
    if (channel[kApplierIsRunning] != "Yes") continue;
    const auto received = GtidSet::Parse(channel[kReceived].value_or(""));
    if (received && !received->Intersect(missing).empty()) replication.is_applying = true;
  }
  return replication;
}

}  // namespace

Result<Replication> AskForReplication(MysqlConnection& connection, const GtidSet& missing) {
  auto replication = AskForChannels(connection, missing);
  if (replication || replication.error().kind != ErrorKind::kDenied) return replication;
  auto account = connection.AccountName();
  if (!account) return std::unexpected(account.error());
  return Fail(ErrorKind::kDenied,
              "what it replicates is not shown: {} HINT: GRANT REPLICATION CLIENT ON *.* TO {}",
              replication.error().message, *account);
}

}  // namespace outboxd::binlog
