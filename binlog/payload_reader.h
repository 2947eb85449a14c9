#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "binlog/byte_buffer.h"
#include "binlog/byte_cursor.h"
#include "binlog/error.h"
#include "binlog/event_header.h"

struct ZSTD_DCtx_s;  // From <zstd.h>, which stays in .cc files.

namespace outboxd::binlog {

// Unpacks a TRANSACTION_PAYLOAD event (binlog_transaction_compression = ON) one binlog event at a
// time: memory holds the largest body that was asked for, once, and the window of the compression,
// whatever the payload unpacks to. One thread.
class PayloadReader {
 public:
  // No server writes a longer event: MySQL 9.7 libs/mysql/binlog/event/binlog_event.h,
  // max_log_event_size, and the header in front of the row data.
  static constexpr std::size_t kEventBytesMax = (std::size_t{1} << 30) + (std::size_t{1} << 20);

  // `event_bytes_max`: a longer inner event is kCorrupt.
  explicit PayloadReader(std::size_t event_bytes_max = kEventBytesMax);
  ~PayloadReader();
  PayloadReader(const PayloadReader&) = delete;
  PayloadReader& operator=(const PayloadReader&) = delete;

  // `body`: the event after its header, without checksum; borrowed until the last inner event was
  // read. kCorrupt: its fields do not fit together. kUndecodable: another compression than zstd.
  // Format: MySQL 9.7 libs/mysql/binlog/event/codecs/binary.cpp, Transaction_payload.
  [[nodiscard]] Result<void> Begin(Bytes body);

  // What is told of an inner event before its body is unpacked.
  struct Event {
    EventHeader header;
    Bytes head;  // The first bytes of its body, as many as kHeadBytes if it has them.
    [[nodiscard]] std::size_t body_bytes() const { return header.length - kEventHeaderBytes; }
  };
  // The table id and the flags of a rows event.
  static constexpr std::size_t kHeadBytes = 8;

  // The next inner event; none at the end. Valid until the next call of any kind. What was not
  // asked for of the one before is passed over in small pieces. kCorrupt: the payload cannot be
  // unpacked, is cut off, or unpacks to more than it declares.
  [[nodiscard]] Result<std::optional<Event>> Next();

  // All of the body of the event that Next() told, once: there is no checksum in it. Valid until
  // the next call of any kind. kCorrupt, as Next().
  [[nodiscard]] Result<Bytes> Body();

 private:
  [[nodiscard]] Result<void> ParseFields(Bytes body);
  [[nodiscard]] Result<void> CheckDeclared(std::size_t unpacked);
  // Whether there are `bytes` unread ones, for which it unpacks; false: the payload ends before.
  [[nodiscard]] Result<bool> Has(std::size_t bytes);
  [[nodiscard]] Result<void> PassOverTheRest();
  [[nodiscard]] Result<void> Unpack();
  [[nodiscard]] std::unexpected<Error> CutOff() const;
  void GiveBackMemory();

  const std::size_t event_bytes_max_;

  struct Freer {
    void operator()(ZSTD_DCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_DCtx_s, Freer> zstd_;

  // The payload as it stands in the event.
  Bytes packed_;                           // What is left of it.
  std::optional<std::uint64_t> declared_;  // Bytes it claims to unpack to: a bound, no allocation.
  std::uint64_t unpacked_total_ = 0;
  bool frame_is_open_ = false;  // zstd wants more.

  std::uint32_t length_ = 0;  // Of the event that Next() told.
  std::size_t left_ = 0;      // What is unread of its body.

  ByteBuffer unpacked_;
  Bytes unread_;  // In `unpacked_`; of a payload without compression, all of it where it stands.
};

}  // namespace outboxd::binlog
