#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/position.h"
#include "daemon/error.h"

namespace outboxd {

// An XA transaction that is prepared with events and waits for its decision.
struct HeldXa {
  std::string xid;
  std::string place;         // GTID, or file and offset.
  std::uint64_t since_us{};  // When it was prepared; 0: the log does not tell.

  friend bool operator==(const HeldXa&, const HeldXa&) = default;
};

// What is delivered of a transaction that is not within the position: its first rows.
struct TransactionPart {
  std::string place;          // Of the transaction: GTID, or file and offset of its beginning.
  std::uint64_t commit_us{};  // When it was committed; 0: the log does not tell.
  std::uint64_t rows{};       // How many of its rows in event tables.
  std::uint64_t counting{};   // Which rows were counted: with another one they are other rows.

  friend bool operator==(const TransactionPart&, const TransactionPart&) = default;
};

// One column of a key up to which a table was read.
struct ReadKeyPart {
  std::string column;
  std::string type;   // With collation and direction, so that a change of them is noticed.
  std::string value;  // In key form, bytes (binlog::KeyValues).

  friend bool operator==(const ReadKeyPart&, const ReadKeyPart&) = default;
};

// How far the initial read of one table is acknowledged.
struct TableReadState {
  std::string schema_name, table_name;
  bool is_done = false;
  std::vector<ReadKeyPart> last_key = {};  // Empty: at its start, or it is read in one piece.
  std::uint64_t rows = 0;                  // Published up to there.

  friend bool operator==(const TableReadState&, const TableReadState&) = default;
};

// An initial read that is under way: the position is where it began, and the stream begins there
// when it has come to its end.
struct InitialRead {
  std::vector<TableReadState> tables = {};  // Those that were there when it began.
  std::uint64_t begun_us = 0;  // When the position was taken, wall clock; 0: not known.

  friend bool operator==(const InitialRead&, const InitialRead&) = default;
};

// The stored position up to which everything is delivered, and what it belongs to, so that a
// checkpoint is never used for another server, cluster or set of tables without a word.
struct Checkpoint {
  std::string relay;                // The relay's name.
  std::string server_uuid;          // Of the server the position was read from.
  std::string sink;                 // OpenedSink::identity, as Kafka's cluster id.
  std::vector<std::string> tables;  // The event table patterns, as configured, sorted.
  binlog::Position position;
  // Commit time of the last transaction within `position`, microseconds since the epoch; 0: none
  // seen yet. Together with its GTID it tells a reused GTID from the original.
  std::uint64_t last_commit_us = 0;
  std::string last_gtid;
  // Of a transaction behind the position; none: the next one begins with its first row.
  std::optional<TransactionPart> part = {};
  std::optional<InitialRead> read = {};  // None: there is none under way.
  // XA transactions within `position` that are prepared without event rows, by name, sorted.
  std::vector<std::string> prepared = {};
  // Those with event rows, which are not within `position`, in the order of the log. For people: a
  // relay that starts reads them again.
  std::vector<HeldXa> held_xa = {};
  std::uint64_t written_at_us = 0;  // Wall clock, for people.

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

}  // namespace outboxd
