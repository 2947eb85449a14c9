#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "binlog/byte_buffer.h"
#include "binlog/byte_cursor.h"
#include "binlog/error.h"
#include "binlog/event_header.h"

namespace outboxd::binlog {

// What all buffers that share one keep in the spill directory. One thread, but for
// bytes() and transactions().
class SpillUse {
 public:
  [[nodiscard]] std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  void Add(std::uint64_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  void Subtract(std::uint64_t bytes) { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }

  // How many transactions did not fit into memory so far.
  [[nodiscard]] std::uint64_t transactions() const {
    return transactions_.load(std::memory_order_relaxed);
  }
  void CountTransaction() { transactions_.fetch_add(1, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> bytes_ = 0, transactions_ = 0;
};

struct TransactionBufferOptions {
  std::string spill_directory;
  std::size_t memory_bytes_max = 8u << 20;
  std::uint64_t spill_bytes_max = 64ull << 30;  // Of all buffers with the same `spill_use`.
  // Shared, because no buffer and no reader of one is certain to live longest.
  // Null: the buffer and what is moved from it have one of their own.
  std::shared_ptr<SpillUse> spill_use = nullptr;
};

// Keeps the TABLE_MAP and ROWS events of one open transaction until its terminator tells whether
// they count. What does not fit into memory goes to an unlinked file in the spill directory, which
// vanishes with the process. First written, then read any number of times. One thread.
class TransactionBuffer {
 public:
  struct Record {
    EventType type;
    Bytes body;  // Valid until the next call of any kind.
  };

  explicit TransactionBuffer(TransactionBufferOptions options);
  ~TransactionBuffer();
  TransactionBuffer(TransactionBuffer&&) noexcept;
  TransactionBuffer& operator=(TransactionBuffer&&) noexcept;

  // kSpill: the file cannot be made or written, or all files together have reached their cap.
  [[nodiscard]] Result<void> Append(EventType type, Bytes body);

  // Bytes kept so far; also the mark to which Truncate() can return.
  [[nodiscard]] std::uint64_t size() const { return memory_.size() + spilled_bytes_; }
  // Forgets everything behind `mark`, a former size().
  void Truncate(std::uint64_t mark);
  void Clear() { Truncate(0); }

  // What of size() is in the file; and what the files of all buffers take, this one included.
  [[nodiscard]] std::uint64_t spilled_bytes() const { return spilled_bytes_; }
  [[nodiscard]] std::uint64_t all_spilled_bytes() const { return options_.spill_use->bytes(); }
  // What of size() is in memory.
  [[nodiscard]] std::size_t memory_bytes() const { return memory_.size(); }
  // Moves what is in memory to the file. kSpill, as Append(); nothing has changed then.
  [[nodiscard]] Result<void> Spill();
  // Gives back memory that is reserved but not used.
  void ShrinkToFit() { memory_.shrink_to_fit(); }

  // Reading starts over at the first record.
  void Rewind() { read_offset_ = 0; }
  // The next record; none at the end.
  [[nodiscard]] Result<std::optional<Record>> Next();

 private:
  [[nodiscard]] Result<void> CopyTo(TransactionBuffer& other);
  // Enters what is to be written into what all take.
  [[nodiscard]] Result<void> TakeSpill(std::uint64_t bytes);
  [[nodiscard]] Result<void> OpenSpill();
  [[nodiscard]] Result<void> WriteSpill(Bytes bytes);
  void CloseSpill();
  // Cuts the file off, so that what was forgotten takes no disk space.
  void CutSpill(std::uint64_t bytes);
  [[nodiscard]] Result<void> ReadSpill(std::uint64_t offset, std::uint8_t* to, std::size_t size);

  TransactionBufferOptions options_;
  // Records of the form: length u32 of the body, type u8, body. Once a record has gone to the file,
  // all later ones do.
  std::vector<std::uint8_t> memory_;
  int spill_descriptor_ = -1;
  std::uint64_t spilled_bytes_ = 0;
  std::uint64_t taken_bytes_ = 0;  // Of the cap: with a record that was not written to its end.

  std::uint64_t read_offset_ = 0;
  ByteBuffer read_back_;  // The record last read from the file.
};

}  // namespace outboxd::binlog
