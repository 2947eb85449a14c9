#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "binlog/byte_cursor.h"
#include "binlog/error.h"
#include "binlog/text_arena.h"

namespace outboxd::binlog {

// MySQL stores and reads no deeper documents (JSON_DOCUMENT_MAX_DEPTH).
inline constexpr std::size_t kJsonDepthMax = 100;

// How values print. No style has blanks behind ',' and ':'.
enum class JsonStyle : std::uint8_t {
  kMysql,  // Every value as MySQL's own text for it.
  // As Debezium's MySQL connector prints what it reads from the log, where the two differ:
  // - a DOUBLE of 10^7 or more, or below 10^-3, in plain digits, all that the binary number has;
  // - DATETIME and TIME without a fraction that is zero, and without its trailing zeros;
  // - \u001F with capital letters; opaque values as their Base64 and nothing else;
  // - a document of no bytes as {}.
  // Not followed is what damages a value there: unsigned numbers above 2^31 - 1 and negative TIMEs.
  // Source: mysql-binlog-connector-java 0.41.0, JsonStringFormatter and JsonBinary.
  kDebezium,
};

// Renders a stored JSON document as compact text, members in stored order. No bytes at all are the
// document `null` in MySQL's style, which is what INSERT IGNORE makes of NULL. The text lives in
// `arena`. kUndecodable: no valid document.
//
// The document is not trusted: every offset is checked, and one whose parts share bytes, which
// MySQL never writes, is refused, so that the text is at most a small multiple of the document;
// only Debezium's style needs up to 1077 characters for a DOUBLE.
//
// Format: MySQL 9.7 sql-common/json_binary.h and json_binary.cc; text: sql-common/json_dom.cc,
// wrapper_to_string().
[[nodiscard]] Result<std::string_view> RenderJson(Bytes document, TextArena& arena,
                                                  JsonStyle style = JsonStyle::kMysql);

}  // namespace outboxd::binlog
