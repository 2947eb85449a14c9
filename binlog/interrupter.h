#pragma once

#include <atomic>
#include <mutex>

namespace outboxd::binlog {

// Breaks off what one thread waits for at a server: a connect under way and every wait for an
// answer. Not the look-up of a name, which the resolver cannot be called out of.
//
// Watch(), Take() and Clear() are for the thread that waits; the other two for any.
class Interrupter {
 public:
  Interrupter() = default;
  ~Interrupter() { Clear(); }
  Interrupter(const Interrupter&) = delete;
  Interrupter& operator=(const Interrupter&) = delete;

  // Holds from now on until Take(), so that what begins to wait later is broken off as well.
  void Request();
  [[nodiscard]] bool requested() const { return requested_.load(); }

  // Whether there was a request, which counts as heard then.
  [[nodiscard]] bool Take() { return requested_.exchange(false); }

  // Request() shuts this socket down from now on, in place of one before. Whoever uses the socket
  // may close it at any time: what is kept here is a descriptor of its own, until Clear().
  void Watch(int descriptor);
  void Clear();

 private:
  std::atomic<bool> requested_ = false;
  std::mutex mutex_;
  // Guarded by mutex_.
  int socket_ = -1;
};

}  // namespace outboxd::binlog
