// The body of a QUERY event.

#include <cstddef>
#include <cstdint>

#include "binlog/query_event.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace outboxd::binlog;
  const std::string_view body = AsText({bytes, size});
  const auto query = ParseQuery({bytes, size});
  if (!query) return 0;
  if (!body.ends_with(query->text)) __builtin_trap();
  const bool names_savepoint =
      query->kind == QueryKind::kSavepoint || query->kind == QueryKind::kRollbackToSavepoint;
  if (names_savepoint ? !query->text.ends_with(query->savepoint) : !query->savepoint.empty()) {
    __builtin_trap();
  }
  return 0;
}
