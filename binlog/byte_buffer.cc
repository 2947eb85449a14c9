#include "binlog/byte_buffer.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <new>

namespace outboxd::binlog {
namespace {

// From here on the bytes have a mapping of their own: realloc() copies what the C library took from
// its heap, and what it takes from there depends on what was freed before.
constexpr std::size_t kMappedBytesMin = std::size_t{1} << 20;

bool IsMapped(std::size_t capacity) { return capacity >= kMappedBytesMin; }

void* MapNew(std::size_t capacity) {
  return ::mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

}  // namespace

void ByteBuffer::Grow(std::size_t capacity) {
  if (capacity <= capacity_) return;
  const bool was_mapped = IsMapped(capacity_);
  void* grown = nullptr;
  if (!IsMapped(capacity)) {
    grown = std::realloc(bytes_, capacity);
  } else {
    grown = was_mapped ? ::mremap(bytes_, capacity_, capacity, MREMAP_MAYMOVE) : MapNew(capacity);
  }
  if (grown == nullptr || grown == MAP_FAILED) throw std::bad_alloc();
  if (IsMapped(capacity) && !was_mapped && capacity_ > 0) {
    std::memcpy(grown, bytes_, capacity_);
    std::free(bytes_);
  }
  bytes_ = static_cast<std::uint8_t*>(grown);
  capacity_ = capacity;
}

void ByteBuffer::Free() {
  if (IsMapped(capacity_)) {
    ::munmap(bytes_, capacity_);
  } else {
    std::free(bytes_);
  }
  bytes_ = nullptr;
  capacity_ = 0;
}

}  // namespace outboxd::binlog
