#pragma once

#include <malloc.h>

#include <cstddef>

namespace outboxd::binlog {

// What the C library has given out, in bytes; always 0 under a sanitizer, which has a heap of its
// own.
inline std::size_t AllocatedBytes() {
  const struct mallinfo2 heap = mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

}  // namespace outboxd::binlog
