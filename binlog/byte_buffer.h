#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "binlog/byte_cursor.h"

namespace outboxd::binlog {

// Room for events, which may be a gigabyte long: it is not set to zero, and a large one grows by
// moving its pages instead of copying them, so that it is never in memory twice. One thread.
class ByteBuffer {
 public:
  ByteBuffer() = default;
  ~ByteBuffer() { Free(); }
  ByteBuffer(ByteBuffer&& other) noexcept { Swap(other); }
  ByteBuffer& operator=(ByteBuffer&& other) noexcept {
    Swap(other);
    other.Free();
    return *this;
  }

  // Makes room for `capacity` bytes; those that are there stay. Throws std::bad_alloc.
  void Grow(std::size_t capacity);
  // The same where none has to stay.
  void Renew(std::size_t capacity) {
    if (capacity > capacity_) Free();
    Grow(capacity);
  }
  // Gives the memory back.
  void Free();

  [[nodiscard]] std::uint8_t* begin() { return bytes_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] Bytes First(std::size_t size) const { return {bytes_, size}; }

 private:
  void Swap(ByteBuffer& other) {
    std::swap(bytes_, other.bytes_);
    std::swap(capacity_, other.capacity_);
  }

  std::uint8_t* bytes_ = nullptr;
  std::size_t capacity_ = 0;
};

}  // namespace outboxd::binlog
