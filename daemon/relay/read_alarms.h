#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "binlog/transaction.h"
#include "daemon/checkpoint/alarm_log.h"
#include "daemon/error.h"
#include "daemon/relay/read_changes.h"
#include "daemon/relay/read_table.h"

namespace outboxd {

// Tells what an initial read may miss, because neither the tables nor the log have it any more:
// each time as an alarm, which is logged and recorded. Reader thread only.
//
// kState, the one error: the alarm is logged, but cannot be recorded. The reader has to meet what
// it is about once more.
class ReadAlarms {
 public:
  // `alarms` is borrowed and may be null: then alarms are only logged.
  explicit ReadAlarms(AlarmLog* alarms) : alarms_(alarms) {}

  // The table is not there any more, and its read was not at its end.
  [[nodiscard]] Result<void> OnTableGone(const std::string& schema_name,
                                         const std::string& table_name);

  // `transaction` is a statement that took rows away which were not read yet.
  [[nodiscard]] Result<void> OnDdl(const binlog::Transaction& transaction);

  // Rows have left their places, and the log holds a part of them only. Of those that follow each
  // other in one table one alarm tells. `tables`: what the losses number.
  [[nodiscard]] Result<void> OnLosses(std::span<const ReadTable> tables,
                                      std::span<const ReadChanges::Loss> losses);

 private:
  Result<void> OnLosses(const ReadTable& table, std::span<const ReadChanges::Loss> losses);
  // `table`: "schema.table"; empty: of several, perhaps.
  Result<void> Raise(std::string_view table, std::string position, std::string text,
                     std::uint64_t commit_us = 0);

  AlarmLog* const alarms_;
};

}  // namespace outboxd
