#include "binlog/query_event.h"

#include <optional>
#include <utility>

namespace outboxd::binlog {
namespace {

// Status variables of a QUERY event, each a code and what the code implies.
// Format: MySQL 9.7 libs/mysql/binlog/event/statement_events.h, Query_event; 14 and 15 were written
// by some 5.6 versions.
enum StatusVariable : std::uint8_t {
  kFlags = 0,
  kSqlMode = 1,
  kCatalogWithZero = 2,
  kAutoIncrement = 3,
  kCharacterSet = 4,
  kTimeZone = 5,
  kCatalog = 6,
  kLocale = 7,
  kSchemaCharacterSet = 8,
  kTableMapForUpdate = 9,
  kSourceDataWritten = 10,
  kInvoker = 11,
  kUpdatedSchemas = 12,
};
// Count of schemas that stands for "too many to name": MAX_DBS_IN_EVENT_MTS is 16.
constexpr std::uint8_t kTooManySchemas = 254;

// Moves `cursor` behind the value of `code`; false: the length of this code is not known.
bool SkipStatusVariable(std::uint8_t code, ByteCursor& cursor) {
  switch (code) {
    case kFlags:
    case kSourceDataWritten:
    case kAutoIncrement:
      cursor.Skip(4);
      return true;
    case kSqlMode:
    case kTableMapForUpdate:
      cursor.Skip(8);
      return true;
    case kCatalogWithZero:
      cursor.Skip(cursor.U8() + 1u);
      return true;
    case kCatalog:
    case kTimeZone:
      cursor.Skip(cursor.U8());
      return true;
    case kCharacterSet:
      cursor.Skip(6);
      return true;
    case kLocale:
    case kSchemaCharacterSet:
      cursor.Skip(2);
      return true;
    case kInvoker:
      cursor.Skip(cursor.U8());  // User.
      cursor.Skip(cursor.U8());  // Host.
      return true;
    default:
      return false;
  }
}

// The next name of a list; the cursor fails where it or the zero byte behind it is cut off.
std::string_view TakeName(ByteCursor& cursor) {
  ByteCursor at = cursor;
  std::size_t length = 0;
  while (at.U8() != 0) ++length;
  const std::string_view name = AsText(cursor.Take(length));
  cursor.Skip(1);
  return name;
}

bool AreAllNamed(ByteCursor names, std::uint8_t count) {
  if (count == kTooManySchemas) return false;
  for (std::uint8_t i = 0; i < count; ++i) {
    if (TakeName(names).empty() || !names.ok()) return false;
  }
  return names.ok();
}

// What the text of both events has in front of it. `extra`: bytes that the second has more.
Result<Query> ParseParts(Bytes body, std::size_t extra) {
  ByteCursor cursor(body);
  cursor.U32();  // Thread id.
  cursor.U32();  // Execution time.
  const std::uint8_t schema_bytes = cursor.U8();
  cursor.U16();  // Error code.
  const std::uint16_t status_bytes = cursor.U16();
  cursor.Skip(extra);
  Query query{.kind = QueryKind::kOther,
              .text = {},
              .savepoint = {},
              .xid = {},
              .status_variables = cursor.Take(status_bytes)};
  cursor.Skip(schema_bytes + 1u);  // The session's default schema and its zero byte.
  query.text = AsText(cursor.Rest());
  if (!cursor.ok()) {
    return Fail(ErrorKind::kCorrupt, "QUERY event of {} bytes ends before its text", body.size());
  }
  return query;
}

// The rest of `text` behind `prefix`; none if it does not begin with it.
std::optional<std::string_view> Behind(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  return text.substr(prefix.size());
}

void Classify(Query& query) {
  static constexpr std::pair<std::string_view, QueryKind> kXa[] = {
      {"XA START ", QueryKind::kXaStart},
      {"XA END ", QueryKind::kXaEnd},
      {"XA COMMIT ", QueryKind::kXaCommit},
      {"XA ROLLBACK ", QueryKind::kXaRollback},
  };
  const std::string_view text = query.text;
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
  } else {
    for (const auto& [prefix, kind] : kXa) {
      const auto xid = Behind(text, prefix);
      if (!xid) continue;
      query.kind = kind;
      query.xid = *xid;
    }
  }
}

}  // namespace

Result<Query> ParseQuery(Bytes body) {
  auto query = ParseParts(body, 0);
  if (query) Classify(*query);
  return query;
}

Result<Query> ParseExecuteLoadQuery(Bytes body) {
  // File id, begin and end of the file name in the text, and what to do about duplicates.
  constexpr std::size_t kExtraBytes = 13;
  return ParseParts(body, kExtraBytes);
}

ChangedSchemas::ChangedSchemas(Bytes status_variables) {
  ByteCursor cursor(status_variables);
  while (!cursor.AtEnd()) {
    const std::uint8_t code = cursor.U8();
    if (code == kUpdatedSchemas) {
      const std::uint8_t count = cursor.U8();
      may_be_any_ = !cursor.ok() || !AreAllNamed(cursor, count);
      left_ = may_be_any_ ? std::uint8_t{0} : count;
      names_ = cursor;
      return;
    }
    // Codes rise, so that the schemas cannot come behind a code of a later version.
    if (!SkipStatusVariable(code, cursor)) return;
  }
}

std::string_view ChangedSchemas::Next() {
  if (left_ == 0) return {};
  --left_;
  return TakeName(names_);
}

}  // namespace outboxd::binlog
