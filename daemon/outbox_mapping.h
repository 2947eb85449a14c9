#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/row.h"
#include "daemon/config.h"
#include "daemon/error.h"
#include "sinks/message.h"

namespace outboxd {

// Turns one row of an event table family into a message, by a preset and what the configuration
// overrides. Owned by the relay; reader thread only.
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

  // The names of columns() that a table with `table_columns` lacks.
  [[nodiscard]] std::vector<std::string> MissingColumns(
      const std::vector<std::string>& table_columns) const;

  // `position` becomes the header outboxd.position: stable for the event and its source. The
  // message borrows from `row`, `position` and the mapping; it is valid until the next call.
  // kUndecodable: this row has no message (a topic column is NULL, a partition is no number, ...):
  // a bad event.
  [[nodiscard]] Result<sinks::Message> Map(const binlog::Row& row, std::string_view position);

  // The id of the row last given to Map(), for people; empty when NULL.
  [[nodiscard]] std::string_view event_id() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace outboxd
