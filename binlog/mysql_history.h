#pragma once

#include <expected>
#include <string_view>

#include "binlog/error.h"
#include "binlog/event_source.h"
#include "binlog/failover.h"
#include "binlog/mysql_dump.h"
#include "binlog/position.h"

namespace outboxd::binlog {

// Whether a server shares the history that a position belongs to, so that its log can be read on
// behind it. A file and an offset are compared with the server's files, a set of GTIDs with what it
// has, and the last transaction that was read with the one that it has of this GTID. What is asked
// here is what a server cannot be trusted to find: it compares only its own UUID's transactions,
// and after a failover would pass over what it never got.

// A position by file. kUnsuitable: no dump can be asked for it. kDiverged: the server lost the end
// of its log. kGone: the file was purged.
[[nodiscard]] Result<void> CheckFile(MysqlConnection& connection, const Position& from);

struct GtidQuestion {
  const Position& from;
  const KnownHistory& known;
  bool accepts_loss = false;  // Of the former server's last transactions.
  // The verdict has to be given at once: how the server may still get what a position has that was
  // never read is not asked.
  bool asks_once = false;
};
// A position by GTID: `stream` with what was lost and what is new, or what is known of the server
// when it cannot go on.
[[nodiscard]] std::expected<StreamIdentity, HostAnswer> CheckGtids(MysqlConnection& connection,
                                                                   const GtidQuestion& question,
                                                                   StreamIdentity stream);

// Lets the server send the last transaction of `position` once more, where it still can, and
// compares when it was committed. kDiverged: it is another one. The result: whether the dump is as
// it was, not started yet.
[[nodiscard]] Result<bool> CheckLastTransaction(MysqlDump& dump, const KnownHistory& known,
                                                const Position& position,
                                                const StreamIdentity& stream);

// Why a server lacks transactions, for messages.
[[nodiscard]] std::string_view ReasonOf(Lack lack);

// The answer of a host that has nothing but an error.
[[nodiscard]] std::unexpected<HostAnswer> Refuses(const Error& error);

}  // namespace outboxd::binlog
