#include "binlog/query_event.h"

#include <optional>

namespace outboxd::binlog {
namespace {

// The rest of `text` behind `prefix`; none if it does not begin with it.
std::optional<std::string_view> Behind(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  return text.substr(prefix.size());
}

Query Classify(std::string_view text) {
  Query query{.kind = QueryKind::kOther, .text = text, .savepoint = {}};
  if (text == "BEGIN") {
    query.kind = QueryKind::kBegin;
  } else if (text == "COMMIT") {
    query.kind = QueryKind::kCommit;
  } else if (text == "ROLLBACK") {
    query.kind = QueryKind::kRollback;
  } else if (const auto name = Behind(text, "SAVEPOINT ")) {
    query.kind = QueryKind::kSavepoint;
    query.savepoint = *name;
  } else if (const auto target = Behind(text, "ROLLBACK TO ")) {
    query.kind = QueryKind::kRollbackToSavepoint;
    query.savepoint = *target;
  } else if (text.starts_with("XA START ")) {
    query.kind = QueryKind::kXaStart;
  } else if (text.starts_with("XA END ")) {
    query.kind = QueryKind::kXaEnd;
  } else if (text.starts_with("XA COMMIT ")) {
    query.kind = QueryKind::kXaCommit;
  } else if (text.starts_with("XA ROLLBACK ")) {
    query.kind = QueryKind::kXaRollback;
  }
  return query;
}

}  // namespace

Result<Query> ParseQuery(Bytes body) {
  ByteCursor cursor(body);
  cursor.U32();  // Thread id.
  cursor.U32();  // Execution time.
  const std::uint8_t schema_bytes = cursor.U8();
  cursor.U16();  // Error code.
  const std::uint16_t status_bytes = cursor.U16();
  cursor.Skip(status_bytes);
  cursor.Skip(schema_bytes + 1u);  // The session's default schema and its zero byte.
  const std::string_view text = AsText(cursor.Rest());
  if (!cursor.ok()) {
    return Fail(ErrorKind::kCorrupt, "QUERY event of {} bytes ends before its text", body.size());
  }
  return Classify(text);
}

}  // namespace outboxd::binlog
