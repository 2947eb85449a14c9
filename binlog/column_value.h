#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/byte_cursor.h"
#include "binlog/character_sets.h"
#include "binlog/error.h"
#include "binlog/json_binary.h"
#include "binlog/row.h"
#include "binlog/table_map.h"
#include "binlog/text_arena.h"

namespace outboxd::binlog {

// What ValueDecoder makes of the column's values.
[[nodiscard]] ValueKind KindOf(const Column& column);

// How many bytes a column's value takes in a row.
struct ValueSize {
  std::uint8_t prefix;  // Bytes of the length in front of the value; 0: `fixed` bytes, no length.
  std::uint32_t fixed;
};

// kUndecodable: a type whose size this version does not know. kCorrupt: metadata that no server
// writes.
// Format: MySQL 9.7 libs/mysql/binlog/event/binary_log_funcs.cpp, calc_field_size().
[[nodiscard]] Result<ValueSize> SizeOf(const Column& column);

// The converters that tables have needed so far; they live as long as this. One thread.
class TextConverters {
 public:
  explicit TextConverters(const CharacterSets& character_sets) : character_sets_(character_sets) {}

  // kUndecodable: an unknown collation or a character set that cannot be converted.
  [[nodiscard]] Result<TextConverter*> For(std::uint32_t collation);

 private:
  struct Entry {
    std::string character_set;
    std::unique_ptr<TextConverter> converter;
  };

  const CharacterSets& character_sets_;
  std::vector<Entry> entries_;
};

// Whether a column's values as parts of a key are not the texts that SELECT shows: these do not
// tell the values apart (FLOAT), or not in their order (ENUM, SET).
[[nodiscard]] bool HasKeyForm(const Column& column);

// Turns a column's values into text (row.h).
class ValueDecoder {
 public:
  // `column` and `converters` are borrowed as long as the decoder is used. kUndecodable: a type or
  // character set that is not decoded, or the log does not tell what is needed to decode it.
  [[nodiscard]] static Result<ValueDecoder> Make(const Column& column, TextConverters& converters,
                                                 JsonStyle json = JsonStyle::kMysql);
  // The same for a part of a key: FLOAT as the DOUBLE that it is, which is what SELECT prints of
  // `column + 0`, ENUM and SET as their numbers; all others as Make().
  [[nodiscard]] static Result<ValueDecoder> MakeForKey(const Column& column,
                                                       TextConverters& converters);

  // `value`: without its length. The text is a view of `value`, or of the column's members, or
  // lives in `arena`. kUndecodable: the bytes are no value of the column.
  [[nodiscard]] Result<std::string_view> Decode(Bytes value, TextArena& arena) const;

 private:
  enum class Method : std::uint8_t {
    kBytes,
    kPaddedBytes,
    kText,
    kSigned,
    kUnsigned,
    kFloat,
    kFloatInFull,
    kDouble,
    kDecimal,
    kDate,
    kTime,
    kDatetime,
    kTimestamp,
    kOldTime,
    kOldDatetime,
    kOldTimestamp,
    kYear,
    kEnum,
    kSet,
    kJson,
  };

  explicit ValueDecoder(Method method, std::uint32_t parameter = 0)
      : method_(method), parameter_(parameter) {}

  static Result<ValueDecoder> MakeText(const Column& column, TextConverters& converters);
  static Result<ValueDecoder> MakeEnumOrSet(const Column& column, TextConverters& converters);

  Result<std::string_view> Pad(Bytes value, TextArena& arena) const;
  Result<std::string_view> Member(Bytes value) const;
  Result<std::string_view> Members(Bytes value, TextArena& arena) const;
  Result<char*> WriteFixed(Bytes value, char* to) const;

  Method method_;
  std::uint32_t parameter_;  // kPaddedBytes: the size; kDecimal: metadata; temporals: fsp.
  JsonStyle json_ = JsonStyle::kMysql;
  TextConverter* converter_ = nullptr;     // kText
  std::vector<std::string_view> members_;  // kEnum, kSet; in UTF-8.
  TextArena converted_members_;            // What of them had to be converted.
};

}  // namespace outboxd::binlog
