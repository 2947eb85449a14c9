#pragma once

#include <cstdint>
#include <string_view>

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
  std::string_view xid;        // As written, "X'61',X'',1"; kXaStart and the like.
  Bytes status_variables;      // For ChangedSchemas.
};

// `body`: after the header, without checksum.
// Format: MySQL 9.7 libs/mysql/binlog/event/statement_events.h, Query_event.
[[nodiscard]] Result<Query> ParseQuery(Bytes body);

// The same for an EXECUTE_LOAD_QUERY event, LOAD DATA in statement format: always kOther.
// Format: MySQL 9.7 libs/mysql/binlog/event/load_data_events.h, Execute_load_query_event.
[[nodiscard]] Result<Query> ParseExecuteLoadQuery(Bytes body);

// Walks through the schemas that a statement may have changed, those of triggers and functions that
// it called included; the server lists them in a status variable.
class ChangedSchemas {
 public:
  explicit ChangedSchemas(Bytes status_variables);

  // The server does not name them all: the statement may have changed any schema.
  [[nodiscard]] bool may_be_any() const { return may_be_any_; }
  // The next schema; empty: there are no more.
  [[nodiscard]] std::string_view Next();

 private:
  bool may_be_any_ = true;
  std::uint8_t left_ = 0;
  ByteCursor names_{Bytes{}};
};

}  // namespace outboxd::binlog
