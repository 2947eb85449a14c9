#pragma once

#include <string>
#include <string_view>

#include "binlog/gtid_set.h"
#include "daemon/checkpoint/alarm_log.h"
#include "daemon/checkpoint/journal.h"
#include "daemon/config/config.h"
#include "daemon/error.h"

namespace outboxd {

// Reports what a failover to another server did to events that were read from the former one.
// Reader thread only.
class FailoverWatch {
 public:
  struct Parts {  // Borrowed; each may be null: then it is not known, or only logged.
    const Journal* journal;
    AlarmLog* alarms;
  };
  struct Servers {
    std::string_view former_uuid, new_uuid;
  };
  // Whether what was lost may have been published by an initial read, which does not know of which
  // transaction a row is.
  enum class Road { kStream, kInitialRead };

  // Ids that no message has room for go to the file `lost.jsonl` in `directory`: one JSON line for
  // each event, never deleted by outboxd. Empty: nowhere.
  FailoverWatch(DeliveryConfig::OnLostTransactions on_lost, Parts parts, std::string directory)
      : on_lost_(on_lost), parts_(parts), directory_(std::move(directory)) {}

  // The new server does not have `lost`, which was read before: logs and records as an alarm which
  // events may have been published of it. `unwritten_events`: lines that the journal may lack.
  // Returns the XA PREPAREs that `lost` decided, as far as the server has them: there they are to
  // be decided once more. kDiverged: the configuration wants to stop here. kState: it cannot be
  // recorded.
  [[nodiscard]] Result<binlog::GtidSet> OnLost(const binlog::GtidSet& lost, const Servers& servers,
                                               std::string_view unwritten_events,
                                               Road road = Road::kStream);

  // The new server has `unseen`, of UUIDs that nothing read before is of.
  void OnUnseen(const binlog::GtidSet& unseen, const Servers& servers);

 private:
  Result<void> Record(const binlog::GtidSet& lost, const JournalFindings& findings,
                      const std::string& text);

  // Constant after construction.
  const DeliveryConfig::OnLostTransactions on_lost_;
  const Parts parts_;
  const std::string directory_;
};

}  // namespace outboxd
