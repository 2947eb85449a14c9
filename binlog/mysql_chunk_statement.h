#pragma once

#include <string>
#include <string_view>

#include "binlog/mysql_connection.h"
#include "binlog/table_source.h"

namespace outboxd::binlog {

// Words the statements that read one table in the order of its key. Borrows both for its life.
class MysqlChunkStatement {
 public:
  MysqlChunkStatement(const TableToRead& table, const MysqlConnection& connection)
      : table_(table), connection_(connection) {}

  // Each row: the request's columns, the values of the key, and the weights of those key columns
  // that take some. `locks`: the words of a locking read; empty: none. A table without a key: all
  // of its rows.
  [[nodiscard]] std::string Rows(const ChunkRequest& request, std::string_view locks) const;

  // One row at most: the values of the key of the last one.
  [[nodiscard]] std::string HighestKey(std::string_view locks) const;

 private:
  [[nodiscard]] std::string KeyTerms() const;
  [[nodiscard]] std::string From() const;
  [[nodiscard]] std::string Order(bool is_reversed) const;
  [[nodiscard]] std::string Behind(const KeyValues& key) const;
  [[nodiscard]] std::string NotBehind(const KeyValues& key) const;
  [[nodiscard]] std::string Comparison(const KeyColumn& column, std::string_view comparison,
                                       std::string_view value) const;
  [[nodiscard]] std::string Literal(const KeyColumn& column, std::string_view value) const;

  const TableToRead& table_;
  const MysqlConnection& connection_;
};

// The weights of a text in utf8mb4 as a value of this column.
[[nodiscard]] std::string WeightTerm(const KeyColumn& column, std::string_view text,
                                     const MysqlConnection& connection);

}  // namespace outboxd::binlog
