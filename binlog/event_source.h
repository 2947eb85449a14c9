#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "binlog/byte_cursor.h"
#include "binlog/error.h"
#include "binlog/gtid.h"
#include "binlog/gtid_set.h"
#include "binlog/position.h"

namespace outboxd::binlog {

// What an open stream comes from and how positions in it are told.
struct StreamIdentity {
  std::string server_uuid;
  bool by_gtid = false;        // False: by file and offset.
  bool has_checksums = false;  // Whether a ROTATE before the first FORMAT_DESCRIPTION has one.
  std::size_t host = 0;        // Which of the configured hosts it is.
  // After a failover: transactions of the position that the former server numbered and this one
  // does not have. The stream begins after the position without them.
  GtidSet lost = {};
  // After a failover: what the server has of UUIDs that the position knows nothing of.
  GtidSet unseen = {};
};

// What is known of the history that a position belongs to, to tell whether a server shares it.
struct KnownHistory {
  std::string server_uuid;         // Of the server it was read from; empty: not known.
  std::optional<Gtid> last_gtid;   // The last transaction within the position that has one ...
  std::uint64_t last_commit_us{};  // ... and when it was committed; 0: not told.
  // One that is not within the position, but was read in part: a server that does not have it has
  // lost it.
  std::optional<Gtid> begun = {};
};

// One stream of raw binlog events: a server, a file or a simulator.
//
// Owned and used by the reader thread; Interrupt() alone may be called from another thread.
class EventSource {
 public:
  virtual ~EventSource() = default;

  // Connects, checks that the server can go on from `from`, and opens the stream behind it. An
  // earlier stream is closed first. kDisconnected: try again later; the server may be there, but
  // lag. kGone, kDiverged: the position cannot be continued here. kDenied, kUnsuitable: the
  // operator must act.
  [[nodiscard]] virtual Result<StreamIdentity> Open(const Position& from,
                                                    const KnownHistory& known) = 0;

  // Returns the next binlog event as it stood in the log, header and checksum included; the server
  // heartbeats that fill the pauses are events too. The bytes stay valid until the next call.
  // Waits at most for the read deadline (a few heartbeat periods), then kDisconnected. After any
  // error the stream is closed; Open() again.
  [[nodiscard]] virtual Result<Bytes> Next() = 0;

  // Makes the current and the next Next() or Open() return kInterrupted. Any thread.
  virtual void Interrupt() = 0;

  virtual void Close() = 0;
};

}  // namespace outboxd::binlog
