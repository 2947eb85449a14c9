#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/row.h"
#include "daemon/error.h"
#include "daemon/mapping/explained_message.h"
#include "daemon/mapping/outbox_config.h"
#include "sinks/message.h"

namespace outboxd {

// Turns one row of an event table family into a message, as the configuration and its preset word
// it. Owned by the relay; reader thread only.
//
// Key and value are the bytes of their expressions; NULL is no key, and a tombstone. With members
// the value is a JSON object of them: numbers and JSON stand as they are, text as strings, bytes as
// Base64. The headers are `id`, those of the configuration in their order, the members of the
// header object but for the names that are outboxd's own, then outboxd.table and outboxd.position.
// NULL is a header with a null value; bytes stand in a header as Base64, as Kafka Connect's
// SimpleHeaderConverter has them.
class OutboxMapping {
 public:
  // Finds every mistake that needs no table. kConfiguration, naming section and key.
  [[nodiscard]] static Result<OutboxMapping> Compile(const OutboxConfig& config);

  OutboxMapping(OutboxMapping&&) noexcept;
  OutboxMapping& operator=(OutboxMapping&&) noexcept;
  ~OutboxMapping();

  // The columns it reads by name, each once: what Row::values must hold, in this order.
  [[nodiscard]] const std::vector<std::string>& columns() const;
  // Whether Row::values must hold the whole row behind them.
  [[nodiscard]] bool reads_whole_row() const;

  // The id, as the configuration words it: a column's name where it is plain.
  [[nodiscard]] const std::string& id() const;
  // The same of the message's time; empty: that of sending.
  [[nodiscard]] std::string timestamp() const;
  // What its topics fit, whatever the row: '*' stands for each part that the row tells. The topic
  // itself where it is the same for all rows.
  [[nodiscard]] std::string topic_pattern() const;

  // The names of columns() that a table with `table_columns` lacks, whatever the case of letters.
  [[nodiscard]] std::vector<std::string> MissingColumns(
      const std::vector<std::string>& table_columns) const;

  // How many events the row makes: none where its conditions do not hold; with `each` one for each
  // element, otherwise one. One also where that cannot be told: then Map() says why. To be called
  // for each row, before Map(), which is about the first of them then.
  [[nodiscard]] std::size_t Begin(const binlog::Row& row);
  // Whether rows make lists of events.
  [[nodiscard]] bool makes_lists() const;
  // Map() is about the row's event with this index from now on.
  void TakeItem(std::size_t item);

  // `position` becomes the header outboxd.position: stable for the event and its source. The
  // message borrows from `row`, `position` and the mapping; it is valid until the next call.
  // kUndecodable: this row has no message (its id or topic is NULL or empty, a partition is no
  // number, ...): a bad event.
  [[nodiscard]] Result<sinks::Message> Map(const binlog::Row& row, std::string_view position);

  // How the parts of the message that Map() returned last came about.
  [[nodiscard]] std::vector<ExplainedPart> Explain(const sinks::Message& message) const;

  // The id of the row last given to Map(), as in the header, whether or not that succeeded; empty
  // when NULL. Valid until the next call of Map().
  [[nodiscard]] std::string_view event_id() const;

 private:
  class Impl;
  explicit OutboxMapping(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace outboxd
