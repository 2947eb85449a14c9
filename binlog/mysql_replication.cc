#include "binlog/mysql_replication.h"

#include "binlog/mysql_connection.h"

namespace outboxd::binlog {

Replication AskForReplication(MysqlConnection& connection, const GtidSet& missing) {
  // Columns of SHOW REPLICA STATUS, in their order since 5.7.
  constexpr std::size_t kReceiverIsRunning = 10;
  constexpr std::size_t kApplierIsRunning = 11;
  constexpr std::size_t kSourceUuid = 40;
  constexpr std::size_t kReceived = 51;
  auto channels = connection.Query("SHOW REPLICA STATUS");
  if (!channels) channels = connection.Query("SHOW SLAVE STATUS");
  Replication replication;
  if (!channels) return replication;  // Not known then; the loss is not certain, but reported.
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

}  // namespace outboxd::binlog
