#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "binlog/event_source.h"
#include "binlog/payload_reader.h"
#include "binlog/row_reader.h"
#include "binlog/transaction_reader.h"
#include "daemon/error.h"

namespace outboxd {

// Prints a stream of binlog events as the relay's own reader takes them: each event, what is
// decided about each transaction and why, and the rows of event tables: of each the columns that
// `filter` wants. Where it takes columns without names (WholeRow::kNumbered), a value that cannot
// be decoded is no reason to stop: nobody has said that a relay would read it.
class Inspector {
 public:
  // Both are borrowed and outlive it.
  Inspector(const binlog::TableFilter& filter, const binlog::CharacterSets& character_sets);

  // Begins on a stream. Events before offset `begin` of the file are read but not printed.
  void Begin(const binlog::StreamIdentity& stream, const binlog::Position& from,
             std::uint64_t begin);

  // The error is what the relay would stop with; it has been printed.
  [[nodiscard]] Result<void> Take(binlog::Bytes event);

  // The stream has ended: tells of a transaction that it ends within.
  void End();

  // Nothing where no event could be taken.
  void PrintSummary() const;

 private:
  [[nodiscard]] std::optional<binlog::Transaction> OpenTransaction() const;
  void PrintCutOff(const binlog::Transaction& transaction, std::string_view why);
  void PrintEvent(const binlog::EventHeader& header, binlog::Bytes event);
  void PrintPayload(binlog::Bytes body);
  Result<void> PrintVerdict(const binlog::Transaction& transaction);
  // `published`: the line above the first row, once it is known that there is one.
  Result<void> PrintRows(std::string_view place, std::string_view published);
  void PrintRow(std::uint64_t number, const binlog::Row& row);

  // Constant after construction.
  const binlog::TableFilter& filter_;
  const bool is_lenient_;

  binlog::TransactionReader transactions_;
  binlog::RowReader rows_;
  binlog::PayloadReader payload_;
  bool has_checksums_ = false;
  bool has_read_ = false;  // An event that could be taken.
  std::uint64_t begin_ = 0;
  std::uint64_t transactions_seen_ = 0;
  std::uint64_t published_ = 0;
  std::uint64_t held_ = 0;
  std::uint64_t rows_seen_ = 0;
  std::uint64_t alarms_ = 0;
  std::uint64_t stopped_at_ = 0;
  std::uint64_t cut_off_ = 0;
};

}  // namespace outboxd
