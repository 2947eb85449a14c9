#include "binlog/mysql_tables.h"

#include <utility>

#include "base/glob.h"
#include "binlog/mysql_connection.h"
#include "binlog/result_row.h"

namespace outboxd::binlog {
namespace {

// A pattern of '*' and '?' as one of LIKE.
std::string LikePattern(std::string_view pattern) {
  std::string like;
  for (const char c : pattern) {
    if (c == '*') {
      like += '%';
    } else if (c == '?') {
      like += '_';
    } else {
      if (c == '%' || c == '_' || c == '\\') like += '\\';
      like += c;
    }
  }
  return like;
}

// The condition for a column of this type to hold a time that is more than `age` ago. Earlier ones
// than 1970 are none that a message can have.
std::optional<std::string> OlderThan(const std::string& column, std::string_view type,
                                     std::chrono::milliseconds age) {
  if (type.starts_with("datetime") || type.starts_with("timestamp")) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
    return fmt::format("{0} >= '1970-01-01' AND {0} < UTC_TIMESTAMP() - INTERVAL {1} SECOND",
                       column, seconds);
  }
  if (type.starts_with("bigint")) {
    return fmt::format("{0} >= 0 AND {0} < UNIX_TIMESTAMP() * 1000 - {1}", column, age.count());
  }
  return std::nullopt;
}

}  // namespace

Result<std::vector<TableFacts>> DescribeTables(MysqlConnection& connection,
                                               std::string_view schema_pattern,
                                               std::string_view table_pattern) {
  const std::string schema_like = connection.Quote(LikePattern(schema_pattern));
  const std::string table_like = connection.Quote(LikePattern(table_pattern));
  auto tables = connection.Query(
      fmt::format(
          "SELECT t.table_schema, t.table_name, t.engine, e.transactions FROM"
          " information_schema.tables t LEFT JOIN information_schema.engines e ON e.engine ="
          " t.engine WHERE t.table_schema LIKE {} AND t.table_name LIKE {} AND t.table_type = 'BASE"
          " TABLE' ORDER BY 1, 2",
          schema_like, table_like),
      4);
  if (!tables) return std::unexpected(tables.error());
  std::vector<TableFacts> all;
  for (const ResultRow& row : *tables) {
    TableFacts facts;
    facts.schema_name = TextOf(row[0]);
    facts.table_name = TextOf(row[1]);
    facts.engine = TextOf(row[2]);
    facts.engine_is_transactional = TextOf(row[3]) == "YES";
    if (!FitsPattern(facts.schema_name, schema_pattern) ||
        !FitsPattern(facts.table_name, table_pattern)) {
      continue;
    }
    auto columns = DescribeColumns(connection, facts.schema_name, facts.table_name);
    if (!columns) return std::unexpected(columns.error());
    facts.columns = std::move(*columns);
    auto key = connection.Query(
        fmt::format(
            "SELECT column_name FROM information_schema.key_column_usage WHERE table_schema = {}"
            " AND table_name = {} AND constraint_name = 'PRIMARY' ORDER BY ordinal_position",
            connection.Quote(facts.schema_name), connection.Quote(facts.table_name)),
        1);
    if (!key) return std::unexpected(key.error());
    for (const ResultRow& column : *key) facts.primary_key.push_back(TextOf(column[0]));
    all.push_back(std::move(facts));
  }
  return all;
}

Result<std::vector<ColumnFacts>> DescribeColumns(MysqlConnection& connection,
                                                 std::string_view schema_name,
                                                 std::string_view table_name) {
  auto rows = connection.Query(
      fmt::format("SELECT c.column_name, c.column_type, c.is_nullable, c.character_set_name, l.id,"
                  " c.character_octet_length, c.extra FROM information_schema.columns c LEFT JOIN"
                  " information_schema.collations l ON l.collation_name = c.collation_name WHERE"
                  " c.table_schema = {} AND c.table_name = {} ORDER BY c.ordinal_position",
                  connection.Quote(schema_name), connection.Quote(table_name)),
      7);
  if (!rows) return std::unexpected(rows.error());
  std::vector<ColumnFacts> columns;
  for (const ResultRow& row : *rows) {
    columns.push_back(
        {.name = TextOf(row[0]),
         .type = TextOf(row[1]),
         .nullable = TextOf(row[2]) == "YES",
         .character_set = TextOf(row[3]),
         .collation = static_cast<std::uint32_t>(NumberOf(TextOf(row[4]))),
         .octet_length = static_cast<std::uint32_t>(NumberOf(TextOf(row[5]))),
         .is_auto_increment = TextOf(row[6]).find("auto_increment") != std::string::npos});
  }
  return columns;
}

Result<std::vector<Cascade>> AskForCascades(MysqlConnection& connection, const TableFacts& table) {
  auto rows = connection.Query(
      fmt::format("SELECT constraint_name, delete_rule, update_rule, unique_constraint_schema,"
                  " referenced_table_name FROM information_schema.referential_constraints WHERE"
                  " constraint_schema = {} AND table_name = {} ORDER BY 1",
                  connection.Quote(table.schema_name), connection.Quote(table.table_name)),
      5);
  if (!rows) return std::unexpected(rows.error());
  const auto changes_rows = [](std::string_view rule) {
    return rule == "CASCADE" || rule == "SET NULL";
  };
  std::vector<Cascade> cascades;
  for (const ResultRow& row : *rows) {
    const std::string on_delete = TextOf(row[1]);
    const std::string on_update = TextOf(row[2]);
    std::string rules;
    if (changes_rows(on_delete)) rules = "ON DELETE " + on_delete;
    if (changes_rows(on_update))
      rules += (rules.empty() ? "ON UPDATE " : ", ON UPDATE ") + on_update;
    if (rules.empty()) continue;
    cascades.push_back({.schema_name = table.schema_name,
                        .table_name = table.table_name,
                        .name = TextOf(row[0]),
                        .rules = std::move(rules),
                        .parent = fmt::format("{}.{}", TextOf(row[3]), TextOf(row[4]))});
  }
  return cascades;
}

Result<bool> LogsCascades(MysqlConnection& connection) {
  auto rows = connection.Query("SHOW GLOBAL VARIABLES LIKE 'innodb\\_native\\_foreign\\_keys'", 2);
  if (!rows) return std::unexpected(rows.error());
  return !rows->empty() && TextOf(rows->front()[1]) == "OFF";
}

Result<std::uint64_t> EstimateRows(MysqlConnection& connection, const TableFacts& table) {
  auto rows = connection.QueryValue(
      fmt::format("SELECT table_rows FROM information_schema.tables WHERE table_schema = {} AND"
                  " table_name = {}",
                  connection.Quote(table.schema_name), connection.Quote(table.table_name)));
  if (!rows) return std::unexpected(rows.error());
  return NumberOf(TextOf(*rows));
}

Result<std::optional<std::uint64_t>> CountOlder(MysqlConnection& connection,
                                                const TableFacts& table, std::string_view column,
                                                std::chrono::milliseconds age,
                                                std::uint64_t rows_max) {
  const ColumnFacts* const facts = FindColumn(table.columns, column);
  if (facts == nullptr) return std::nullopt;
  const auto is_older = OlderThan(QuoteIdentifier(facts->name), facts->type, age);
  if (!is_older) return std::nullopt;
  auto rows = connection.QueryValue(fmt::format(
      "SELECT /*+ MAX_EXECUTION_TIME(5000) */ COUNT(*) FROM (SELECT 1 FROM {}.{} WHERE"
      " {} LIMIT {}) AS older",
      QuoteIdentifier(table.schema_name), QuoteIdentifier(table.table_name), *is_older, rows_max));
  if (rows && *rows) return NumberOf(**rows);
  if (!rows && MayPass(rows.error().kind)) return std::unexpected(rows.error());
  return std::nullopt;
}

}  // namespace outboxd::binlog
