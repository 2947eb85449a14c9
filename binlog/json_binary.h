#pragma once

#include <cstddef>
#include <string_view>

#include "binlog/byte_cursor.h"
#include "binlog/error.h"
#include "binlog/text_arena.h"

namespace outboxd::binlog {

// MySQL stores and reads no deeper documents (JSON_DOCUMENT_MAX_DEPTH).
inline constexpr std::size_t kJsonDepthMax = 100;

// Renders a stored JSON document as compact text: members in stored order, every value as MySQL's
// own text for it, no blanks after ',' and ':'. No bytes at all are the document `null`, which is
// what INSERT IGNORE makes of NULL. The text lives in `arena`. kUndecodable: no valid document.
//
// The document is not trusted: every offset is checked, and one whose parts share bytes, which
// MySQL never writes, is refused, so that the text is at most a small multiple of the document.
//
// Format: MySQL 9.7 sql-common/json_binary.h and json_binary.cc; text: sql-common/json_dom.cc,
// wrapper_to_string().
[[nodiscard]] Result<std::string_view> RenderJson(Bytes document, TextArena& arena);

}  // namespace outboxd::binlog
