#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "binlog/byte_cursor.h"
#include "binlog/control_event.h"
#include "binlog/error.h"
#include "binlog/event_header.h"
#include "binlog/gtid.h"
#include "binlog/log_end.h"
#include "binlog/position.h"
#include "binlog/transaction.h"

namespace outboxd::binlog {

// Where a stream of binlog events stands: at an event, whose offsets are counted in 64 bits, and
// behind a boundary, the last place between two transactions that it has come to. Reader thread
// only.
class StreamPlace {
 public:
  // The stream was opened behind `from`.
  void Begin(bool by_gtid, const Position& from);

  // The next event is read.
  //
  // log_pos holds 32 bits only and is 0 in events that stand in no file. Events follow one another
  // closely, so that the upper half of the offset can be carried along.
  void Advance(const EventHeader& header) {
    const bool is_in_file = header.log_pos != 0 && (header.flags & EventHeader::kArtificial) == 0 &&
                            header.type != EventType::kHeartbeat &&
                            header.type != EventType::kHeartbeatV2;
    if (!is_in_file) {
      event_begin_ = event_end_;
      return;
    }
    std::uint64_t end = (event_end_ & ~kLow) | header.log_pos;
    if (end < event_end_) end += kLow + 1;
    event_end_ = end;
    event_begin_ = end - std::min<std::uint64_t>(end, header.length);
  }
  // It is a ROTATE. True: the boundary is in another file now.
  [[nodiscard]] bool OnRotate(const Rotate& rotate);
  // It is a PREVIOUS_GTIDS. True: the set of the boundary has become known.
  [[nodiscard]] Result<bool> OnPreviousGtids(Bytes body);
  // It is a HEARTBEAT between two transactions. True: reached() is where the server stands.
  [[nodiscard]] bool OnHeartbeat(const EventHeader& header, Bytes body);
  // It ends a transaction: the boundary is behind it.
  void OnEnd(const std::optional<Gtid>& gtid);

  // Where the event begins and ends, in 64 bits, in file().
  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] std::uint64_t event_begin() const { return event_begin_; }
  [[nodiscard]] std::uint64_t event_end() const { return event_end_; }
  // "FILE:OFFSET" of its beginning, for messages.
  [[nodiscard]] std::string Text() const;

  // The boundary. Its GTID set is empty while it is not known, that is, in a stream by file that
  // did not begin with one until the next file begins.
  [[nodiscard]] const Position& boundary() const { return boundary_; }
  // Whether the set is known.
  [[nodiscard]] bool collects_gtids() const { return collects_gtids_; }
  // Where a stream of the same server that is opened anew goes on, and whether one can begin there:
  // by file not in every place.
  [[nodiscard]] Position ResumePosition() const;
  [[nodiscard]] bool CanResume() const;
  // Whether a stream by file comes to a transaction that is within the boundary's set.
  [[nodiscard]] bool HasRead(const std::optional<Gtid>& gtid) const {
    return !by_gtid_ && gtid && boundary_.gtids.Contains(*gtid);
  }

  // Where the stream began, if that was by file and within one, and no boundary has come since;
  // null: not so.
  [[nodiscard]] const LogEnd* StandsAtBegin() const;

  // TransactionReader::HasReached() and reached(). `open`: the transaction whose end has not come;
  // null: there is none.
  [[nodiscard]] bool HasReached(std::string_view file, std::uint64_t offset,
                                const Transaction* open) const;
  [[nodiscard]] LogEnd reached() const { return {file_, std::max(event_end_, skipped_to_)}; }

 private:
  static constexpr std::uint64_t kLow = 0xFFFFFFFF;  // The part of an offset that log_pos holds.

  bool by_gtid_ = false;
  bool collects_gtids_ = false;
  std::string file_;
  std::uint64_t event_begin_ = 0;
  std::uint64_t event_end_ = 0;
  LogEnd begin_;                  // Where it began; no file: at the beginning of one, or by GTID.
  bool has_file_ = false;         // A ROTATE has told `file_` since Begin().
  std::uint64_t skipped_to_ = 0;  // In `file_`, as a heartbeat told.
  Position boundary_;
};

}  // namespace outboxd::binlog
