#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "binlog/byte_cursor.h"
#include "binlog/error.h"

namespace outboxd::binlog {

// What a QUERY event means for the transaction it stands in. The server itself words the control
// statements, so that their text is certain; everything else is kOther.
enum class QueryKind {
  kBegin,
  kCommit,
  kRollback,
  kSavepoint,
  kRollbackToSavepoint,
  kXaStart,
  kXaEnd,
  kXaCommit,
  kXaRollback,
  kOther,  // DDL, or a change in statement format.
};

// A QUERY event. Views borrow from the event. The session's default schema is not kept: it is not
// the schema of what the statement changes.
struct Query {
  QueryKind kind;
  std::string_view text;       // Any character set; not to be taken for UTF-8.
  std::string_view savepoint;  // As written, quotes included; kSavepoint, kRollbackToSavepoint.
};

// `body`: after the header, without checksum.
// Format: MySQL 9.7 libs/mysql/binlog/event/statement_events.h, Query_event.
[[nodiscard]] Result<Query> ParseQuery(Bytes body);

}  // namespace outboxd::binlog
