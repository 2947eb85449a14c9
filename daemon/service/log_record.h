#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/exit_code.h"
#include "daemon/service/notice.h"

namespace outboxd {

// What a record of the log tells besides its text. The journal keeps it in fields of their own, as
// does log.format = json; a plain text leaves it out. Borrowed for the time of the call.
struct LogFields {
  Notice notice = Notice::kNone;
  std::string_view position = {};  // Of an event, as in the header outboxd.position.
  std::string_view gtid = {};      // Of a transaction, or a set. Empty: that of `position`.
  std::string_view table = {};     // "schema.table"
  std::string_view event_id = {};
  std::optional<ExitCode> code = {};  // With which the process ends.
};

enum class LogLevel { kWarning, kError, kFatal };

// Logs a record with its fields; where it needs none, spdlog's own functions do. Any thread.
void Log(LogLevel level, const LogFields& fields, std::string_view text);

// Those of the record that this thread logs at the moment; of one without fields: empty ones.
[[nodiscard]] const LogFields& CurrentLogFields();

// One of them, as the journal and as JSON name it.
struct LogField {
  std::string_view journal_name, json_name;
  std::string value;
};
// What is not empty of `fields`.
[[nodiscard]] std::vector<LogField> ListLogFields(const LogFields& fields);

}  // namespace outboxd
