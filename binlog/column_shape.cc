#include "binlog/column_shape.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "binlog/any_case.h"
#include "binlog/character_sets.h"
#include "binlog/column_value.h"
#include "binlog/type_text.h"

namespace outboxd::binlog {
namespace {

struct NamedType {
  std::string_view name;
  ColumnType type;
  std::uint16_t metadata;  // Where the type alone decides it.
};

// As information_schema.columns.data_type words them.
constexpr std::array kTypes = std::to_array<NamedType>({
    {"tinyint", ColumnType::kTiny, 0},
    {"smallint", ColumnType::kShort, 0},
    {"mediumint", ColumnType::kInt24, 0},
    {"int", ColumnType::kLong, 0},
    {"bigint", ColumnType::kLongLong, 0},
    {"float", ColumnType::kFloat, 4},
    {"double", ColumnType::kDouble, 8},
    {"decimal", ColumnType::kNewDecimal, 0},
    {"bit", ColumnType::kBit, 0},
    {"date", ColumnType::kDate, 0},
    {"time", ColumnType::kTime2, 0},
    {"datetime", ColumnType::kDatetime2, 0},
    {"timestamp", ColumnType::kTimestamp2, 0},
    {"year", ColumnType::kYear, 0},
    {"char", ColumnType::kString, 0},
    {"binary", ColumnType::kString, 0},
    {"varchar", ColumnType::kVarchar, 0},
    {"varbinary", ColumnType::kVarchar, 0},
    {"enum", ColumnType::kEnum, 0},
    {"set", ColumnType::kSet, 0},
    {"tinyblob", ColumnType::kBlob, 1},
    {"tinytext", ColumnType::kBlob, 1},
    {"blob", ColumnType::kBlob, 2},
    {"text", ColumnType::kBlob, 2},
    {"mediumblob", ColumnType::kBlob, 3},
    {"mediumtext", ColumnType::kBlob, 3},
    {"longblob", ColumnType::kBlob, 4},
    {"longtext", ColumnType::kBlob, 4},
    {"json", ColumnType::kJson, 4},
    {"vector", ColumnType::kVector, 4},
    {"geometry", ColumnType::kGeometry, 4},
    {"point", ColumnType::kGeometry, 4},
    {"linestring", ColumnType::kGeometry, 4},
    {"polygon", ColumnType::kGeometry, 4},
    {"multipoint", ColumnType::kGeometry, 4},
    {"multilinestring", ColumnType::kGeometry, 4},
    {"multipolygon", ColumnType::kGeometry, 4},
    {"geomcollection", ColumnType::kGeometry, 4},
    {"geometrycollection", ColumnType::kGeometry, 4},
});

// MySQL 9.7 sql/field.cc, get_set_pack_length() and get_enum_pack_length().
std::uint16_t EnumBytes(std::size_t members) { return members < 256 ? 1 : 2; }
std::uint16_t SetBytes(std::size_t members) {
  const std::size_t bytes = (members + 7) / 8;
  return static_cast<std::uint16_t>(bytes > 4 ? 8 : bytes);
}

std::uint16_t MetadataOf(const ColumnFacts& facts, const NamedType& named) {
  const std::string_view arguments = TypeArgumentsOf(facts.type);
  const unsigned first = FirstNumberOf(arguments);
  switch (named.type) {
    case ColumnType::kNewDecimal: {
      const std::size_t comma = arguments.find(',');
      const unsigned scale =
          comma == std::string_view::npos ? 0 : FirstNumberOf(arguments.substr(comma + 1));
      return static_cast<std::uint16_t>(first << 8 | scale);
    }
    case ColumnType::kBit:
      return static_cast<std::uint16_t>((first / 8) << 8 | first % 8);
    case ColumnType::kTime2:
    case ColumnType::kDatetime2:
    case ColumnType::kTimestamp2:
      return static_cast<std::uint16_t>(first);
    case ColumnType::kString:
    case ColumnType::kVarchar:
      return static_cast<std::uint16_t>(facts.octet_length);
    case ColumnType::kEnum:
      return EnumBytes(CountMembers(arguments));
    case ColumnType::kSet:
      return SetBytes(CountMembers(arguments));
    default:
      return named.metadata;
  }
}

// Those whose collation the log tells.
bool IsText(ColumnType type) {
  return type == ColumnType::kString || type == ColumnType::kVarchar || type == ColumnType::kBlob;
}

// What a log has of a column, for people: "VARCHAR of 160 bytes, NOT NULL".
std::string TextOf(const Column& column) {
  std::string text = NameOf(column.type);
  switch (column.type) {
    case ColumnType::kString:
    case ColumnType::kVarchar:
      text += fmt::format(" of {} bytes", column.metadata);
      break;
    case ColumnType::kBlob:
      text += fmt::format(" of {} bits of length", 8 * column.metadata);
      break;
    case ColumnType::kNewDecimal:
      text += fmt::format("({},{})", column.metadata >> 8, column.metadata & 0xFF);
      break;
    case ColumnType::kTime2:
    case ColumnType::kDatetime2:
    case ColumnType::kTimestamp2:
      text += fmt::format("({})", column.metadata);
      break;
    default:
      break;
  }
  if (column.is_unsigned) text += " UNSIGNED";
  if (column.collation != 0) text += fmt::format(" of collation {}", column.collation);
  return text + (column.nullable ? "" : ", NOT NULL");
}

// Of a column as it is now, with what of it the log would tell as well.
std::string TextOf(const ColumnFacts& facts, const std::optional<Column>& as_logged) {
  return as_logged ? fmt::format("{} ({})", facts.type, TextOf(*as_logged)) : facts.type;
}

// What the row's own table map does not tell is taken as equal.
bool Fits(const Column& logged, const Column& today, bool has_signedness) {
  return logged.type == today.type && logged.metadata == today.metadata &&
         logged.nullable == today.nullable &&
         (!has_signedness || logged.is_unsigned == today.is_unsigned) &&
         (logged.collation == 0 || !IsText(logged.type) || logged.collation == today.collation);
}

// The column as a TABLE_MAP with signs and collations describes it. None: of an unknown type.
std::optional<Column> AsLogged(const ColumnFacts& facts) {
  const std::string_view type = facts.type;
  const std::string_view name = TypeNameOf(type);
  const auto named = std::ranges::find(kTypes, name, &NamedType::name);
  if (named == kTypes.end()) return std::nullopt;
  Column column;
  column.type = named->type;
  column.metadata = MetadataOf(facts, *named);
  column.nullable = facts.nullable;
  column.is_unsigned = IsUnsignedType(type);
  if (IsText(column.type)) {
    column.collation = facts.collation == 0 ? kBinaryCollation : facts.collation;
  }
  column.name = facts.name;
  return column;
}

bool Contains(std::span<const std::string> names, std::string_view name) {
  return FindInAnyCase(names, name) != names.end();
}

bool LookAlike(const Column& a, const Column& b) {
  return a.type == b.type && a.metadata == b.metadata && a.is_unsigned == b.is_unsigned &&
         a.collation == b.collation;
}

// The ordinals of a column of `wanted` and of another one that the log, which has `logged`, cannot
// tell from it but by its place.
std::optional<std::pair<std::size_t, std::size_t>> FindTwinsOf(std::span<const std::string> wanted,
                                                               std::span<const ColumnFacts> today,
                                                               std::span<const Column> logged) {
  for (std::size_t i = 0; i < logged.size(); ++i) {
    if (!Contains(wanted, today[i].name)) continue;
    for (std::size_t twin = 0; twin < logged.size(); ++twin) {
      if (twin != i && LookAlike(logged[twin], logged[i])) return {{i, twin}};
    }
  }
  return std::nullopt;
}

void Complete(const Column& today, bool has_signedness, Column& logged) {
  if (!has_signedness) logged.is_unsigned = today.is_unsigned;
  if (logged.collation == 0) logged.collation = today.collation;
}

}  // namespace

std::optional<std::pair<std::string, std::string>> FindTwins(std::span<const ColumnFacts> today,
                                                             std::span<const std::string> wanted,
                                                             bool has_signs) {
  std::vector<Column> columns;
  for (const ColumnFacts& facts : today) {
    Column column = AsLogged(facts).value_or(Column{});
    if (!has_signs) {
      column.is_unsigned = false;
      column.collation = 0;
    }
    columns.push_back(std::move(column));
  }
  const auto twins = FindTwinsOf(wanted, today, columns);
  if (!twins) return std::nullopt;
  return {{today[twins->first].name, today[twins->second].name}};
}

Result<void> NameColumns(std::span<const ColumnFacts> today, std::span<const std::string> wanted,
                         TableMap& map) {
  if (today.size() != map.columns.size()) {
    return Fail(ErrorKind::kUnsuitable, "it had {} columns when the row was written and has {} now",
                map.columns.size(), today.size());
  }
  std::vector<Column> columns;
  for (std::size_t i = 0; i < today.size(); ++i) {
    auto column = AsLogged(today[i]);
    if (!column || !Fits(map.columns[i], *column, map.has_signedness)) {
      return Fail(ErrorKind::kUnsuitable,
                  "its column {} was {} when the row was written; now that is '{}', {}", i + 1,
                  TextOf(map.columns[i]), today[i].name, TextOf(today[i], column));
    }
    columns.push_back(std::move(*column));
  }
  if (const auto twins = FindTwinsOf(wanted, today, map.columns)) {
    const ColumnFacts& column = today[twins->first];
    return Fail(ErrorKind::kUnsuitable,
                "its columns '{}' and '{}' are both {}, so that they may have changed places",
                column.name, today[twins->second].name, column.type);
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    map.columns[i].name = columns[i].name;
    Complete(columns[i], map.has_signedness, map.columns[i]);
  }
  map.has_names = true;
  map.has_signedness = true;
  return {};
}

bool IsColumnKind(std::string_view kind) {
  return kind == "signed" || kind == "unsigned" || CollationOf(kind) != 0;
}

Result<std::vector<std::string>> TakeKinds(std::span<const std::string> kinds,
                                           std::span<const std::string> wanted, TableMap& map) {
  std::vector<std::string> unknown;
  for (std::size_t i = 0; i < map.columns.size(); ++i) {
    Column& column = map.columns[i];
    const std::string_view kind = i < kinds.size() ? std::string_view(kinds[i]) : "";
    const std::uint32_t collation = CollationOf(kind);
    const bool has_kind = IsInteger(column.type) || IsText(column.type);
    if (kind.empty()) {
      if (has_kind && Contains(wanted, column.name)) unknown.push_back(column.name);
    } else if (!has_kind || IsText(column.type) != (collation != 0)) {
      return Fail(ErrorKind::kUnsuitable, "its column '{}' was {}, which '{}' does not fit",
                  column.name, TextOf(column), kind);
    } else {
      column.is_unsigned = kind == "unsigned";
      column.collation = collation;
    }
  }
  map.has_signedness = unknown.empty();
  return unknown;
}

Result<void> TakeSigns(std::span<const ColumnFacts> today, std::span<const std::string> columns,
                       TableMap& map) {
  for (Column& column : map.columns) {
    if (!Contains(columns, column.name)) continue;
    const ColumnFacts* const facts = FindColumn(today, column.name);
    const auto known = facts == nullptr ? std::nullopt : AsLogged(*facts);
    if (!known || known->type != column.type || known->metadata != column.metadata) {
      return Fail(ErrorKind::kUnsuitable,
                  "its column '{}' was {} when the row was written and is {} now", column.name,
                  TextOf(column), facts == nullptr ? "gone" : TextOf(*facts, known));
    }
    Complete(*known, map.has_signedness, column);
  }
  map.has_signedness = true;
  return {};
}

const ColumnFacts* FindColumn(std::span<const ColumnFacts> columns, std::string_view name) {
  const auto found = FindInAnyCase(columns, name, &ColumnFacts::name);
  return found == columns.end() ? nullptr : &*found;
}

std::vector<std::string> NamesOf(std::span<const ColumnFacts> columns) {
  std::vector<std::string> names;
  for (const ColumnFacts& column : columns) names.push_back(column.name);
  return names;
}

ValueKind KindOf(const ColumnFacts& column) {
  const auto logged = AsLogged(column);
  return logged ? KindOf(*logged) : ValueKind::kText;
}

}  // namespace outboxd::binlog
