#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outboxd::binlog {

// One family of event tables and what is wanted of their rows.
struct TableSelection {
  std::string schema_pattern;  // '*' stands for any characters, '?' for one.
  std::string table_pattern;
  std::vector<std::string> columns;           // Wanted, by name.
  std::vector<std::string> declared_columns;  // All columns in order, for a log without names.
};

// Decides which tables of the binary log are event tables. Constant after construction.
class TableFilter {
 public:
  explicit TableFilter(std::vector<TableSelection> selections)
      : selections_(std::move(selections)) {}

  // The index of the first selection that matches; none: the table is of no interest.
  [[nodiscard]] std::optional<std::uint32_t> Match(std::string_view schema_name,
                                                   std::string_view table_name) const;

  [[nodiscard]] const TableSelection& operator[](std::uint32_t index) const {
    return selections_[index];
  }
  [[nodiscard]] const std::vector<TableSelection>& selections() const { return selections_; }

 private:
  std::vector<TableSelection> selections_;
};

// Whether `text` fits `pattern`, whose '*' stands for any characters and '?' for one.
[[nodiscard]] bool FitsPattern(std::string_view text, std::string_view pattern);

}  // namespace outboxd::binlog
