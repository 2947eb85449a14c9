#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "binlog/byte_cursor.h"
#include "binlog/error.h"

struct ZSTD_DCtx_s;  // From <zstd.h>, which stays in .cc files.

namespace outboxd::binlog {

// Unpacks a TRANSACTION_PAYLOAD event (binlog_transaction_compression = ON) one binlog event at a
// time: memory holds the largest of them and the window of the compression, whatever the payload
// unpacks to. One thread.
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

  // The next inner event: a header and what belongs to it, without checksum; none at the end.
  // Valid until the next call. kCorrupt: the payload cannot be unpacked, is cut off, or unpacks to
  // more than it declares.
  [[nodiscard]] Result<std::optional<Bytes>> Next();

 private:
  [[nodiscard]] Result<void> ParseFields(Bytes body);
  // Unpacks until `bytes` unread ones are there; fewer at the payload's end.
  [[nodiscard]] Result<void> Fill(std::size_t bytes);
  [[nodiscard]] Result<void> Unpack();
  [[nodiscard]] std::size_t unread() const { return unpacked_end_ - unpacked_begin_; }
  void GiveBackMemory();

  const std::size_t event_bytes_max_;

  struct Freer {
    void operator()(ZSTD_DCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_DCtx_s, Freer> zstd_;

  // The payload as it stands in the event.
  bool is_compressed_ = false;
  Bytes packed_;                           // What is left of it.
  std::optional<std::uint64_t> declared_;  // Bytes it claims to unpack to: a bound, no allocation.
  std::uint64_t unpacked_total_ = 0;
  bool frame_is_open_ = false;  // zstd wants more.

  std::vector<std::uint8_t> unpacked_;
  std::size_t unpacked_begin_ = 0;  // The unread part.
  std::size_t unpacked_end_ = 0;
};

}  // namespace outboxd::binlog
