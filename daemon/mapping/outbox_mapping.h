#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/row.h"
#include "daemon/config/config.h"
#include "daemon/error.h"
#include "sinks/message.h"

namespace outboxd::binlog {
struct TableFacts;
}

namespace outboxd {

// Turns one row of an event table family into a message, by a preset and what the configuration
// overrides. Owned by the relay; reader thread only.
//
// The preset `debezium` makes what Debezium's Outbox Event Router writes with its string
// converters: the topic by template, the key column as text (NULL: no key), the payload's bytes as
// they are (NULL: a tombstone), and the headers `id`, those of the configuration in their order,
// then outboxd.table and outboxd.position. A NULL column is a header with a null value; the bytes
// of a binary column stand in a header as Base64, as Kafka Connect's SimpleHeaderConverter has
// them.
class OutboxMapping {
 public:
  // Finds every mistake that needs no table: unknown preset, bad template, reserved header name.
  // kConfiguration, naming section and key.
  [[nodiscard]] static Result<OutboxMapping> Compile(const OutboxConfig& config);

  OutboxMapping(OutboxMapping&&) noexcept;
  OutboxMapping& operator=(OutboxMapping&&) noexcept;
  ~OutboxMapping();

  // The columns it reads, each once: what Row::values must hold, in this order.
  [[nodiscard]] const std::vector<std::string>& columns() const;

  // The names of columns() that a table with `table_columns` lacks, whatever the case of letters.
  [[nodiscard]] std::vector<std::string> MissingColumns(
      const std::vector<std::string>& table_columns) const;

  // Tells the column types of one table, for rows of it that follow: whether a column holds text or
  // bytes decides how a header shows it. Where nobody told, a value that is not UTF-8 counts as
  // bytes. To be called for each table that is found, again after it changed.
  void Bind(const binlog::TableFacts& table);

  // `position` becomes the header outboxd.position: stable for the event and its source. The
  // message borrows from `row`, `position` and the mapping; it is valid until the next call.
  // kUndecodable: this row has no message (a topic column is NULL or empty, a partition is no
  // number, ...): a bad event.
  [[nodiscard]] Result<sinks::Message> Map(const binlog::Row& row, std::string_view position);

  // The id of the row last given to Map(), as in the header, whether or not that succeeded; empty
  // when NULL. Valid until the next call of Map().
  [[nodiscard]] std::string_view event_id() const;

 private:
  class Impl;
  explicit OutboxMapping(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace outboxd
