#include "binlog/mysql_chunk_statement.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "binlog/result_row.h"
#include "binlog/table_key.h"
#include "binlog/type_text.h"

namespace outboxd::binlog {
namespace {

// So many numbers of an ENUM or SET are listed instead of compared.
constexpr std::uint64_t kListedNumbersMax = 1024;

bool IsNumbered(const KeyColumn& column) {
  const std::string_view name = TypeNameOf(column.type);
  return name == "enum" || name == "set";
}

bool IsFloating(const KeyColumn& column) {
  const std::string_view name = TypeNameOf(column.type);
  return name == "float" || name == "double";
}

bool IsText(const KeyColumn& column) {
  const std::string_view name = TypeNameOf(column.type);
  return !column.collation.empty() || name == "date" || name == "datetime" || name == "time" ||
         name == "timestamp";
}

bool IsBytes(const KeyColumn& column) {
  const std::string_view name = TypeNameOf(column.type);
  return name == "binary" || name == "varbinary" || name.ends_with("blob");
}

// The highest number that a value of the column can have; none: too many to list them.
std::optional<std::uint64_t> HighestListed(const KeyColumn& column) {
  const std::size_t members = CountMembers(TypeArgumentsOf(column.type));
  if (TypeNameOf(column.type) == "enum") {
    return members > kListedNumbersMax ? std::nullopt : std::optional<std::uint64_t>(members);
  }
  if (members >= 64 || (std::uint64_t{1} << members) > kListedNumbersMax) return std::nullopt;
  return (std::uint64_t{1} << members) - 1;
}

// The column's values in the form of KeyValues.
std::string KeyTerm(const KeyColumn& column) {
  const std::string name = QuoteIdentifier(column.name);
  if (IsNumbered(column)) return fmt::format("CAST({} AS UNSIGNED)", name);
  // Without the digits that a FLOAT(M,D) is declared with, and those that SELECT leaves out.
  return IsFloating(column) ? name + " + 0e0" : name;
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.+-eE") == std::string_view::npos;
}

std::uint64_t NumberOfBits(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<std::uint8_t>(c);
  return number;
}

std::string HexLiteral(std::string_view bytes) {
  std::string hex = "X'";
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<std::uint8_t>(c));
  return hex + "'";
}

// The numbers of `comparison` with `value`, as IN: the server does not find a range of an ENUM's or
// SET's numbers in an index, but it finds single ones. A single one stands twice: the server would
// sort what `=` finds.
std::string ListedComparison(std::string_view name, std::string_view comparison,
                             std::uint64_t value, std::uint64_t highest) {
  const bool has_equal = comparison.ends_with('=');
  const bool is_upwards = comparison.starts_with('>');
  const bool is_downwards = comparison.starts_with('<');
  const std::uint64_t from = is_downwards ? 0 : value + (has_equal ? 0 : 1);
  const std::uint64_t end = is_upwards ? highest + 1 : value + (has_equal ? 1 : 0);
  if (from >= end) return "FALSE";
  std::string list = fmt::format("{}", from);
  if (from + 1 == end) list += fmt::format(", {}", from);
  for (std::uint64_t number = from + 1; number < std::min(end, highest + 1); ++number) {
    list += fmt::format(", {}", number);
  }
  return fmt::format("{} IN ({})", name, list);
}

}  // namespace

std::string WeightTerm(const KeyColumn& column, std::string_view text,
                       const MysqlConnection& connection) {
  return fmt::format("WEIGHT_STRING(CONVERT({} USING {}) COLLATE {})", connection.Quote(text),
                     CharacterSetOf(column.collation), column.collation);
}

std::string MysqlChunkStatement::Rows(const ChunkRequest& request, std::string_view locks) const {
  std::string terms;
  for (const std::string& name : request.columns) {
    terms += fmt::format("{}{}", terms.empty() ? "" : ", ", QuoteIdentifier(name));
  }
  if (table_.key.columns.empty()) {
    return fmt::format("SELECT {} FROM {}{}", terms.empty() ? "1" : terms, From(), locks);
  }
  terms += fmt::format("{}{}", terms.empty() ? "" : ", ", KeyTerms());
  for (const KeyColumn& column : table_.key.columns) {
    if (!KeyColumnOrder(column).takes_weights()) continue;
    terms += fmt::format(", WEIGHT_STRING({})", QuoteIdentifier(column.name));
  }
  std::string condition;
  if (request.after != nullptr) condition = " WHERE (" + Behind(*request.after) + ")";
  if (request.up_to != nullptr) {
    condition +=
        fmt::format("{} ({})", condition.empty() ? " WHERE" : " AND", NotBehind(*request.up_to));
  }
  return fmt::format("SELECT {} FROM {}{} ORDER BY {} LIMIT {}{}", terms, From(), condition,
                     Order(false), request.rows_max, locks);
}

std::string MysqlChunkStatement::HighestKey(std::string_view locks) const {
  return fmt::format("SELECT {} FROM {} ORDER BY {} LIMIT 1{}", KeyTerms(), From(), Order(true),
                     locks);
}

std::string MysqlChunkStatement::KeyTerms() const {
  std::string terms;
  for (const KeyColumn& column : table_.key.columns) {
    terms += fmt::format("{}{}", terms.empty() ? "" : ", ", KeyTerm(column));
  }
  return terms;
}

std::string MysqlChunkStatement::From() const {
  std::string from = fmt::format("{}.{}", QuoteIdentifier(table_.facts.schema_name),
                                 QuoteIdentifier(table_.facts.table_name));
  if (table_.key.columns.empty()) return from;
  return fmt::format("{} FORCE INDEX ({})", from, QuoteIdentifier(table_.key.index));
}

std::string MysqlChunkStatement::Order(bool is_reversed) const {
  std::string order;
  for (const KeyColumn& column : table_.key.columns) {
    order += fmt::format("{}{}{}", order.empty() ? "" : ", ", QuoteIdentifier(column.name),
                         column.is_descending != is_reversed ? " DESC" : "");
  }
  return order;
}

// a > x OR (a = x AND b > y) ...: what the server can find in the index.
std::string MysqlChunkStatement::Behind(const KeyValues& key) const {
  std::string condition;
  std::string equal;
  for (std::size_t i = 0; i < table_.key.columns.size(); ++i) {
    const KeyColumn& column = table_.key.columns[i];
    condition += fmt::format("{}({}{})", i == 0 ? "" : " OR ", equal,
                             Comparison(column, column.is_descending ? "<" : ">", key.at(i)));
    equal += Comparison(column, "=", key.at(i)) + " AND ";
  }
  return condition;
}

// a < x OR (a = x AND b <= y).
std::string MysqlChunkStatement::NotBehind(const KeyValues& key) const {
  std::string condition;
  std::string equal;
  for (std::size_t i = 0; i < table_.key.columns.size(); ++i) {
    const KeyColumn& column = table_.key.columns[i];
    const bool is_last = i + 1 == table_.key.columns.size();
    const std::string comparison =
        fmt::format("{}{}", column.is_descending ? ">" : "<", is_last ? "=" : "");
    condition += fmt::format("{}({}{})", i == 0 ? "" : " OR ", equal,
                             Comparison(column, comparison, key.at(i)));
    equal += Comparison(column, "=", key.at(i)) + " AND ";
  }
  return condition;
}

std::string MysqlChunkStatement::Comparison(const KeyColumn& column, std::string_view comparison,
                                            std::string_view value) const {
  const std::string name = QuoteIdentifier(column.name);
  const std::string literal = Literal(column, value);
  if (!IsNumbered(column)) return fmt::format("{} {} {}", name, comparison, literal);
  const auto highest = HighestListed(column);
  // Else the server would compare a SET of 64 members with a sign.
  if (!highest) return fmt::format("CAST({} AS UNSIGNED) {} {}", name, comparison, literal);
  return ListedComparison(name, comparison, NumberOf(value), *highest);
}

std::string MysqlChunkStatement::Literal(const KeyColumn& column, std::string_view value) const {
  const std::string_view name = TypeNameOf(column.type);
  if (IsBytes(column)) {
    std::string bytes(value);
    const std::size_t width = FirstNumberOf(TypeArgumentsOf(column.type));
    if (name == "binary" && bytes.size() < width) bytes.resize(width, '\0');
    return HexLiteral(bytes);
  }
  if (name == "bit") return fmt::format("{}", NumberOfBits(value));
  if ((IsText(column) && !IsNumbered(column)) || !IsNumber(value)) return connection_.Quote(value);
  // A number with a point alone would be a DECIMAL.
  const bool is_plain = value.find_first_of("eE") == std::string_view::npos;
  return fmt::format("{}{}", value, IsFloating(column) && is_plain ? "e0" : "");
}

}  // namespace outboxd::binlog
