#pragma once

#include "binlog/mysql_server.h"
#include "daemon/config/config.h"
#include "daemon/error.h"
#include "daemon/preparation/source_setup.h"
#include "daemon/relay/delivery_tracker.h"
#include "daemon/relay/publisher.h"
#include "daemon/relay/relay.h"

namespace outboxd {

// The initial read of the event tables, for `start = table`: publishes the rows that are in them
// now. The binary log is read afterwards from a position that was taken before, so that a row that
// came meanwhile is published at least once, and one that stands in both is published twice with
// the same id. Starts over when it breaks off before its end was acknowledged.
//
// Reader thread only.
class TableRead {
 public:
  struct Parts {  // Borrowed.
    const Config& config;
    const EventTables& tables;  // For its selections; the mappings belong to the publisher.
    Relay& relay;
    Publisher& publisher;
    DeliveryTracker& tracker;
  };

  explicit TableRead(Parts parts) : parts_(parts) {}

  // Returns when all rows were handed to the sink, or a stop was asked for.
  [[nodiscard]] Result<void> Run();

 private:
  // One pass; *complete: it came to its end.
  [[nodiscard]] Result<void> ReadOnce(bool* complete);
  [[nodiscard]] binlog::Result<bool> PublishRow(const binlog::Row& row, std::string_view key);

  Parts parts_;
  EventPosition event_position_;
  std::optional<Error> failure_;  // Of the publisher, while the scan winds down.
};

}  // namespace outboxd
