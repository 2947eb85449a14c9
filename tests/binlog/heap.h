#pragma once

#include <malloc.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <string>

namespace outboxd::binlog {

// What the C library has given out, in bytes; always 0 under a sanitizer, which has a heap of its
// own.
inline std::size_t AllocatedBytes() {
  const struct mallinfo2 heap = mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

// How far the process grows while one of these lives, its peak included: what is allocated and
// freed again within a call is seen. 0 under a sanitizer, which keeps what was freed.
class PeakMemory {
 public:
  // Linux 6.1 Documentation/filesystems/proc.rst, clear_refs: 5 sets the peak to what is there now.
  PeakMemory() : before_(Kibibytes("VmRSS:")) { std::ofstream("/proc/self/clear_refs") << 5; }

  [[nodiscard]] std::size_t growth() const {
    if (AllocatedBytes() == 0) return 0;
    return (std::max(Kibibytes("VmHWM:"), before_) - before_) << 10;
  }

 private:
  static std::size_t Kibibytes(const std::string& field) {
    std::ifstream status("/proc/self/status");
    std::string word;
    std::size_t kibibytes = 0;
    while (status >> word && word != field) continue;
    status >> kibibytes;
    return kibibytes;
  }

  const std::size_t before_;
};

}  // namespace outboxd::binlog
