#include "binlog/table_map.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace outboxd::binlog {
namespace {

constexpr std::size_t kTableMapFlagsSize = 2;
constexpr std::size_t kMembersMax = 65'535;  // Of an ENUM.

enum OptionalMetadataType : std::uint8_t {
  kSignedness = 1,
  kDefaultCharset = 2,
  kColumnCharset = 3,
  kColumnName = 4,
  kSetMembers = 5,
  kEnumMembers = 6,
  kEnumAndSetDefaultCharset = 10,
  kEnumAndSetColumnCharset = 11,
};

struct TypeName {
  ColumnType type;
  const char* name;
};

constexpr TypeName kTypeNames[] = {
    {ColumnType::kDecimal, "DECIMAL of MySQL 4"},
    {ColumnType::kTiny, "TINYINT"},
    {ColumnType::kShort, "SMALLINT"},
    {ColumnType::kLong, "INT"},
    {ColumnType::kFloat, "FLOAT"},
    {ColumnType::kDouble, "DOUBLE"},
    {ColumnType::kNull, "NULL"},
    {ColumnType::kTimestamp, "TIMESTAMP of MySQL 5.5"},
    {ColumnType::kLongLong, "BIGINT"},
    {ColumnType::kInt24, "MEDIUMINT"},
    {ColumnType::kDate, "DATE"},
    {ColumnType::kTime, "TIME of MySQL 5.5"},
    {ColumnType::kDatetime, "DATETIME of MySQL 5.5"},
    {ColumnType::kYear, "YEAR"},
    {ColumnType::kNewDate, "DATE"},
    {ColumnType::kVarchar, "VARCHAR"},
    {ColumnType::kBit, "BIT"},
    {ColumnType::kTimestamp2, "TIMESTAMP"},
    {ColumnType::kDatetime2, "DATETIME"},
    {ColumnType::kTime2, "TIME"},
    {ColumnType::kTypedArray, "typed array"},
    {ColumnType::kVector, "VECTOR"},
    {ColumnType::kJson, "JSON"},
    {ColumnType::kNewDecimal, "DECIMAL"},
    {ColumnType::kEnum, "ENUM"},
    {ColumnType::kSet, "SET"},
    {ColumnType::kTinyBlob, "TINYBLOB"},
    {ColumnType::kMediumBlob, "MEDIUMBLOB"},
    {ColumnType::kLongBlob, "LONGBLOB"},
    {ColumnType::kBlob, "BLOB or TEXT"},
    {ColumnType::kVarString, "VARCHAR of MySQL 4"},
    {ColumnType::kString, "CHAR or BINARY"},
    {ColumnType::kGeometry, "GEOMETRY"},
};

bool IsKnown(ColumnType type) {
  return std::ranges::find(kTypeNames, type, &TypeName::type) != std::end(kTypeNames);
}

// The columns that have a bit in the SIGNEDNESS metadata.
// MySQL 9.7 sql/field_common_properties.h, has_signedess_information_type().
bool HasSignedness(const Column& column) {
  switch (column.type) {
    case ColumnType::kTiny:
    case ColumnType::kShort:
    case ColumnType::kInt24:
    case ColumnType::kLong:
    case ColumnType::kLongLong:
    case ColumnType::kYear:
    case ColumnType::kFloat:
    case ColumnType::kDouble:
    case ColumnType::kDecimal:
    case ColumnType::kNewDecimal:
      return true;
    default:
      return false;
  }
}

bool IsCharacterType(ColumnType type) {
  return type == ColumnType::kString || type == ColumnType::kVarString ||
         type == ColumnType::kVarchar || type == ColumnType::kVector || type == ColumnType::kBlob;
}

// The columns that the character set metadata counts; a typed array counts by its elements.
// MySQL 9.7 sql/log_event.cc, is_character_type().
bool HasCharset(const Column& column) {
  const bool is_array = column.type == ColumnType::kTypedArray;
  return IsCharacterType(is_array ? static_cast<ColumnType>(column.metadata) : column.type);
}

bool IsEnumOrSet(const Column& column) {
  return column.type == ColumnType::kEnum || column.type == ColumnType::kSet;
}

using Selector = bool (*)(const Column&);

std::unexpected<Error> CutOff(const char* part) {
  return Fail(ErrorKind::kCorrupt, "TABLE_MAP event: {} cut off or of the wrong length", part);
}

// STRING: the first byte is the real type of an ENUM or SET; of a CHAR two of its bits hold the
// inverted upper bits of the length.
// MySQL 9.7 sql/field.cc, Field_string::do_save_field_metadata().
void ReadStringMetadata(ByteCursor& metadata, Column& column) {
  const std::uint32_t first = metadata.U8();
  const std::uint32_t second = metadata.U8();
  const auto real_type = static_cast<ColumnType>(first);
  if (real_type == ColumnType::kEnum || real_type == ColumnType::kSet) {
    column.type = real_type;
    column.metadata = static_cast<std::uint16_t>(second);
    return;
  }
  column.metadata = static_cast<std::uint16_t>(second | ((first & 0x30) ^ 0x30) << 4);
}

void ReadArrayMetadata(ByteCursor& metadata, Column& column) {
  column.metadata = metadata.U8();
  switch (static_cast<ColumnType>(column.metadata)) {
    case ColumnType::kVarchar:
      metadata.Skip(3);
      return;
    case ColumnType::kNewDecimal:
      metadata.Skip(2);
      return;
    case ColumnType::kTime2:
    case ColumnType::kDatetime2:
      metadata.Skip(1);
      return;
    default:
      return;
  }
}

void ReadTypeMetadata(ByteCursor& metadata, Column& column) {
  switch (column.type) {
    case ColumnType::kFloat:
    case ColumnType::kDouble:
    case ColumnType::kTinyBlob:
    case ColumnType::kMediumBlob:
    case ColumnType::kLongBlob:
    case ColumnType::kBlob:
    case ColumnType::kJson:
    case ColumnType::kGeometry:
    case ColumnType::kVector:
    case ColumnType::kTime2:
    case ColumnType::kDatetime2:
    case ColumnType::kTimestamp2:
      column.metadata = metadata.U8();
      return;
    case ColumnType::kVarchar:
    case ColumnType::kBit:
      column.metadata = metadata.U16();
      return;
    case ColumnType::kNewDecimal:
      column.metadata = static_cast<std::uint16_t>(metadata.Big(2));
      return;
    case ColumnType::kString:
    case ColumnType::kVarString:
    case ColumnType::kEnum:
    case ColumnType::kSet:
      ReadStringMetadata(metadata, column);
      return;
    case ColumnType::kTypedArray:
      ReadArrayMetadata(metadata, column);
      return;
    default:
      return;
  }
}

Result<void> ReadColumns(ByteCursor& body, std::vector<Column>& columns) {
  const std::uint64_t count = body.PackedInteger();
  const Bytes types = body.Take(count);
  Bytes metadata_bytes;
  Bytes nullable;
  if (!body.AtEnd()) {
    metadata_bytes = body.Take(body.PackedInteger());
    nullable = body.Take((types.size() + 7) / 8);
  }
  if (!body.ok() || types.empty()) return CutOff("columns");

  ByteCursor metadata(metadata_bytes);
  columns.reserve(types.size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    Column column;
    column.type = static_cast<ColumnType>(types[i]);
    if (!IsKnown(column.type)) {
      return Fail(ErrorKind::kUndecodable, "TABLE_MAP event: column {} has the unknown type {}",
                  i + 1, types[i])
          .Hint("a newer outboxd may know it");
    }
    ReadTypeMetadata(metadata, column);
    column.nullable = !nullable.empty() && (nullable[i / 8] >> (i % 8) & 1) != 0;
    columns.push_back(std::move(column));
  }
  if (!metadata.ok() || !metadata.AtEnd()) return CutOff("the columns' metadata");
  return {};
}

// One bit for each numeric column, the most significant bit of each byte first.
Result<void> ReadSignedness(Bytes bits, std::vector<Column>& columns) {
  std::size_t index = 0;
  for (Column& column : columns) {
    if (!HasSignedness(column)) continue;
    if (index / 8 >= bits.size()) return CutOff("the columns' signs");
    column.is_unsigned = (bits[index / 8] & 0x80 >> index % 8) != 0;
    ++index;
  }
  if ((index + 7) / 8 != bits.size()) return CutOff("the columns' signs");
  return {};
}

// One collation for most columns, then those that differ, by their index among the selected ones.
Result<void> ReadDefaultCharset(Bytes value, Selector is_selected, std::vector<Column>& columns) {
  ByteCursor cursor(value);
  const std::uint64_t most = cursor.PackedInteger();
  std::vector<Column*> selected;
  for (Column& column : columns) {
    if (!is_selected(column)) continue;
    column.collation = static_cast<std::uint32_t>(most);
    selected.push_back(&column);
  }
  while (!cursor.AtEnd()) {
    const std::uint64_t index = cursor.PackedInteger();
    const std::uint64_t collation = cursor.PackedInteger();
    if (!cursor.ok() || index >= selected.size()) return CutOff("the columns' collations");
    selected[index]->collation = static_cast<std::uint32_t>(collation);
  }
  if (!cursor.ok()) return CutOff("the columns' collations");
  return {};
}

Result<void> ReadColumnCharset(Bytes value, Selector is_selected, std::vector<Column>& columns) {
  ByteCursor cursor(value);
  for (Column& column : columns) {
    if (!is_selected(column)) continue;
    column.collation = static_cast<std::uint32_t>(cursor.PackedInteger());
  }
  if (!cursor.ok() || !cursor.AtEnd()) return CutOff("the columns' collations");
  return {};
}

Result<void> ReadNames(Bytes value, std::vector<Column>& columns) {
  ByteCursor cursor(value);
  for (Column& column : columns) column.name = AsText(cursor.Take(cursor.PackedInteger()));
  if (!cursor.ok() || !cursor.AtEnd()) return CutOff("the columns' names");
  return {};
}

Result<void> ReadMembers(Bytes value, ColumnType type, std::vector<Column>& columns) {
  ByteCursor cursor(value);
  for (Column& column : columns) {
    if (column.type != type) continue;
    const std::uint64_t count = cursor.PackedInteger();
    if (count > kMembersMax) return CutOff("the members of an ENUM or SET");
    column.members.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
      column.members.emplace_back(AsText(cursor.Take(cursor.PackedInteger())));
    }
  }
  if (!cursor.ok() || !cursor.AtEnd()) return CutOff("the members of an ENUM or SET");
  return {};
}

Result<void> ReadOptional(std::uint8_t type, Bytes value, TableMap& map) {
  if (value.empty()) return {};
  switch (type) {
    case kSignedness:
      map.has_signedness = true;
      return ReadSignedness(value, map.columns);
    case kDefaultCharset:
      return ReadDefaultCharset(value, &HasCharset, map.columns);
    case kColumnCharset:
      return ReadColumnCharset(value, &HasCharset, map.columns);
    case kColumnName:
      map.has_names = true;
      return ReadNames(value, map.columns);
    case kSetMembers:
      return ReadMembers(value, ColumnType::kSet, map.columns);
    case kEnumMembers:
      return ReadMembers(value, ColumnType::kEnum, map.columns);
    case kEnumAndSetDefaultCharset:
      return ReadDefaultCharset(value, &IsEnumOrSet, map.columns);
    case kEnumAndSetColumnCharset:
      return ReadColumnCharset(value, &IsEnumOrSet, map.columns);
    default:
      return {};  // Keys, dimensions, visibility, and what later versions add.
  }
}

TableMapName ReadName(ByteCursor& body) {
  TableMapName name{};
  name.table_id = body.U48();
  body.Skip(kTableMapFlagsSize);
  name.schema_name = AsText(body.Take(body.PackedInteger()));
  body.Skip(1);  // A terminating zero.
  name.table_name = AsText(body.Take(body.PackedInteger()));
  body.Skip(1);
  return name;
}

}  // namespace

std::string NameOf(ColumnType type) {
  const auto* const known = std::ranges::find(kTypeNames, type, &TypeName::type);
  if (known != std::end(kTypeNames)) return known->name;
  return fmt::format("type {}", static_cast<unsigned>(type));
}

Result<TableMapName> ParseTableMapName(Bytes body) {
  ByteCursor cursor(body);
  const TableMapName name = ReadName(cursor);
  if (!cursor.ok()) return CutOff("the table's name");
  return name;
}

Result<TableMap> TableMap::Parse(Bytes body) {
  ByteCursor cursor(body);
  const TableMapName name = ReadName(cursor);
  if (!cursor.ok()) return CutOff("the table's name");
  TableMap map;
  map.table_id = name.table_id;
  map.schema_name = name.schema_name;
  map.table_name = name.table_name;
  if (auto read = ReadColumns(cursor, map.columns); !read) return std::unexpected(read.error());
  while (!cursor.AtEnd()) {
    const std::uint8_t type = cursor.U8();
    const Bytes value = cursor.Take(cursor.PackedInteger());
    if (!cursor.ok()) return CutOff("optional metadata");
    if (auto read = ReadOptional(type, value, map); !read) return std::unexpected(read.error());
  }
  if (!cursor.ok()) return CutOff("optional metadata");
  return map;
}

}  // namespace outboxd::binlog
