#pragma once

#include <string>
#include <vector>

#include "binlog/column_shape.h"

namespace outboxd::binlog {

// A table as information_schema describes it today.
struct TableFacts {
  std::string schema_name, table_name;
  std::string engine = {};
  bool engine_is_transactional = false;       // By information_schema.engines; BLACKHOLE is not.
  std::vector<ColumnFacts> columns = {};      // In ordinal order.
  std::vector<std::string> primary_key = {};  // Column names in key order.
};

}  // namespace outboxd::binlog
