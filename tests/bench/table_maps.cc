// What a row costs by the number of event tables that take turns, in nanoseconds of the reader of
// rows alone. Many tenants have a table each; no row may cost more for it.
//
//   table_maps [EVENTS]
#include <fmt/core.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "binlog/row_reader.h"
#include "tests/binlog/event_bytes.h"

namespace outboxd::binlog {
namespace {

using Octets = std::vector<std::uint8_t>;

constexpr std::uint8_t kVarchar = 15;
const std::vector<std::string> kColumns = {"id",   "aggregatetype", "aggregateid",
                                           "type", "payload",       "created"};

// Of table tenant_NUMBER.outbox, as a server with binlog_row_metadata = FULL writes it.
Octets TableMapOf(std::size_t number) {
  const std::string schema = fmt::format("tenant_{:05}", number);
  EventBytes body;
  body.Little(number, 6).Little(1, 2).Packed(schema.size()).Text(schema).Little(0, 1);
  body.Packed(6).Text("outbox").Little(0, 1).Packed(kColumns.size());
  for (std::size_t i = 0; i < kColumns.size(); ++i) body.Little(kVarchar, 1);
  body.Packed(2 * kColumns.size());
  for (std::size_t i = 0; i < kColumns.size(); ++i) body.Little(200, 2);
  EventBytes names;
  for (const std::string& name : kColumns) names.Packed(name.size()).Text(name);
  body.Little(0, 1);                               // None is nullable.
  body.Little(2, 1).Packed(1).Little(45, 1);       // DEFAULT_CHARSET: utf8mb4_general_ci.
  body.Little(4, 1).Packed(names.bytes().size());  // COLUMN_NAME.
  return body.Text(AsText(names.bytes())).bytes();
}

Octets RowOf(std::size_t number) {
  EventBytes body;
  body.Little(number, 6).Little(1, 2).Little(2, 2).Packed(kColumns.size()).Little(0x3F, 1);
  body.Little(0, 1);  // No column is NULL.
  for (std::size_t i = 0; i < kColumns.size(); ++i) body.Packed(22).Text("a value of some length");
  return body.bytes();
}

// Nanoseconds for each row, of which `rows_each` stand in one transaction, each of the next table.
double Measure(std::size_t tables, std::size_t rows_each, std::size_t events) {
  const TableFilter filter({{.schema_pattern = "tenant_*",
                             .table_pattern = "outbox",
                             .columns = {"id", "aggregateid", "type", "payload"},
                             .declared_columns = {}}});
  const CharacterSets character_sets;
  RowReader reader(filter, character_sets);
  std::vector<Octets> maps;
  std::vector<Octets> rows;
  for (std::size_t i = 0; i < tables; ++i) {
    maps.push_back(TableMapOf(i));
    rows.push_back(RowOf(i));
  }
  TransactionBuffer buffer({.spill_directory = std::filesystem::temp_directory_path()});
  std::size_t next = 0;
  const auto read = [&](std::size_t count) {
    std::chrono::nanoseconds spent{0};
    for (std::size_t done = 0; done < count; done += rows_each) {
      buffer.Clear();
      for (std::size_t i = 0; i < rows_each; ++i, next = (next + 1) % tables) {
        if (!buffer.Append(EventType::kTableMap, maps[next])) std::abort();
        if (!buffer.Append(EventType::kWriteRows, rows[next])) std::abort();
      }
      const auto begin = std::chrono::steady_clock::now();
      reader.Begin(buffer);
      for (std::size_t i = 0; i < rows_each; ++i) {
        const auto row = reader.Next();
        if (!row || *row == nullptr) std::abort();
      }
      spent += std::chrono::steady_clock::now() - begin;
    }
    return spent;
  };
  read(tables);  // Each is met for the first time.
  const std::size_t count = (events + rows_each - 1) / rows_each * rows_each;
  return static_cast<double>(read(count).count()) / static_cast<double>(count);
}

void Print(std::size_t events) {
  fmt::print("{:>8} {:>18} {:>18}\n", "tables", "1 a transaction", "2000 a transaction");
  const double one = Measure(1, 1, events);
  for (const std::size_t tables : {std::size_t{1}, std::size_t{2}, std::size_t{64}, std::size_t{65},
                                   std::size_t{2000}, std::size_t{20'000}}) {
    const double single = Measure(tables, 1, events);
    const double many = Measure(tables, 2000, events);
    fmt::print("{:>8} {:>9.0f} ns ({:.2f}) {:>9.0f} ns ({:.2f})\n", tables, single, single / one,
               many, many / one);
  }
}

}  // namespace
}  // namespace outboxd::binlog

int main(int count, char** words) {
  const std::size_t events = count > 1 ? std::strtoull(words[1], nullptr, 10) : 500'000;
  outboxd::binlog::Print(events);
}
