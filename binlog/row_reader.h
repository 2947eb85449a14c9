#pragma once

#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "binlog/character_sets.h"
#include "binlog/column_shape.h"
#include "binlog/error.h"
#include "binlog/row.h"
#include "binlog/row_decoder.h"
#include "binlog/table_filter.h"
#include "binlog/table_map.h"
#include "binlog/transaction_buffer.h"

namespace outboxd::binlog {

// Walks through the rows of one buffered transaction, in the order of the log, and decodes
// of each the columns that its table selection wants. Table maps are parsed once, not once for each
// statement that repeats them. Reader thread only.
class RowReader {
 public:
  // Both references are borrowed and outlive the reader. `lookup` is asked once for each table map
  // without names whose columns nobody declared, or not all that the log does not tell of them;
  // none: such a table is an error.
  RowReader(const TableFilter& filter, const CharacterSets& character_sets,
            SchemaLookup lookup = nullptr);

  // Starts at the first row of `rows`, which is borrowed until the last row was read.
  void Begin(TransactionBuffer& rows);

  // The next row; null at the end. Valid until the next call. kUndecodable: a value that cannot be
  // decoded. kUnsuitable: the log does not tell the columns' names, nobody declared them, and the
  // schema does not tell them for certain; or a wanted column is not in the table. What the lookup
  // failed with.
  [[nodiscard]] Result<const Row*> Next();

 private:
  struct KnownTable {
    std::string body;  // Of the TABLE_MAP event: what makes it the same table again.
    TableMap map;
    std::uint32_t selection = 0;
    std::vector<std::string> names;   // Of the wanted columns.
    std::vector<std::size_t> wanted;  // Their ordinals, in the order of the selection's columns.
    std::vector<ValueKind> kinds;     // As many.
    std::vector<std::size_t> key;     // Ordinals of the key columns, where all changes are taken.
    std::uint64_t used_by = 0;        // The number of the transaction that used it last.
  };
  struct OpenTable {
    std::uint64_t transaction;  // Only in this one does the table id mean `known`.
    const KnownTable* known;
  };

  Result<void> OnTableMap(Bytes body);
  // Makes the table the one used last.
  Result<const KnownTable*> Know(Bytes body);
  void ForgetUnused();
  Result<void> OnRows(EventType type, Bytes body);
  Result<KnownTable> MakeKnown(Bytes body) const;
  Result<void> FindColumns(const TableSelection& selection, KnownTable& known) const;
  Result<void> NameColumns(const TableSelection& selection, TableMap& map) const;
  Result<void> TakeDeclared(const TableSelection& selection, TableMap& map) const;
  Result<std::size_t> FindColumn(const TableMap& map, const std::string& name) const;
  Result<void> Bind(const KnownTable& known);
  void DescribeRows(const KnownTable& known, RowChange change);

  // Constant after construction.
  const TableFilter& filter_;
  SchemaLookup lookup_;

  RowDecoder decoder_;
  TransactionBuffer* rows_ = nullptr;
  std::list<KnownTable> known_;  // The one used last first.
  std::unordered_map<std::string_view, std::list<KnownTable>::iterator> known_by_body_;
  std::size_t known_bytes_ = 0;                        // Of their bodies.
  std::uint64_t transaction_ = 0;                      // Its number, counted by Begin().
  std::unordered_map<std::uint64_t, OpenTable> open_;  // By the latest TABLE_MAP of each table id.
  const KnownTable* bound_ = nullptr;                  // Which the decoder is bound to.
  bool in_event_ = false;
  Row row_{};
};

}  // namespace outboxd::binlog
