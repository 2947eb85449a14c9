// The body of a QUERY event, read as that of an EXECUTE_LOAD_QUERY event too.

#include <cstddef>
#include <cstdint>

#include "binlog/ddl.h"
#include "binlog/query_event.h"

namespace outboxd::binlog {
namespace {

// A list of schemas is whole or is not told at all.
void CheckSchemas(const Query& query) {
  constexpr int kSchemasMax = 255;
  ChangedSchemas schemas(query.status_variables);
  const std::string_view variables = AsText(query.status_variables);
  int count = 0;
  for (auto name = schemas.Next(); !name.empty(); name = schemas.Next()) {
    if (schemas.may_be_any() || ++count > kSchemasMax) __builtin_trap();
    if (name.find('\0') != std::string_view::npos) __builtin_trap();
    if (name.data() < variables.data() || name.end() >= variables.end()) __builtin_trap();
  }
}

void CheckQuery(const Query& query, std::string_view body) {
  if (!body.ends_with(query.text)) __builtin_trap();
  const bool names_savepoint =
      query.kind == QueryKind::kSavepoint || query.kind == QueryKind::kRollbackToSavepoint;
  if (names_savepoint ? !query.text.ends_with(query.savepoint) : !query.savepoint.empty()) {
    __builtin_trap();
  }
  const bool names_xid = query.kind == QueryKind::kXaStart || query.kind == QueryKind::kXaEnd ||
                         query.kind == QueryKind::kXaCommit || query.kind == QueryKind::kXaRollback;
  if (names_xid ? !query.text.ends_with(query.xid) : !query.xid.empty()) __builtin_trap();
  CheckSchemas(query);
  const DdlEffect effect = EffectOf(query.text);
  if (DropsSchema(query.text) && effect != DdlEffect::kLosesRows) __builtin_trap();
}

}  // namespace
}  // namespace outboxd::binlog

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace outboxd::binlog;
  const std::string_view body = AsText({bytes, size});
  if (const auto query = ParseQuery({bytes, size})) CheckQuery(*query, body);
  if (const auto load = ParseExecuteLoadQuery({bytes, size})) {
    if (load->kind != QueryKind::kOther) __builtin_trap();
    CheckQuery(*load, body);
  }
  return 0;
}
