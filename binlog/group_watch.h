#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "binlog/interrupter.h"
#include "binlog/mysql_connection.h"

namespace outboxd::binlog {

// Asks a member of a group now and then whether it is cut off from it: its own log does not tell,
// for then it just has nothing new. A thread and a connection of its own do it, so that nobody who
// reads waits. What cannot be asked leaves the answer before in force.
// A server that has to be writable is asked that as well, member or not.
class GroupWatch {
 public:
  // Called by the watch's thread at each change. None: the member is not cut off any more.
  using Tell = std::function<void(const std::optional<std::string>& why)>;

  // `is_member`: else it is not asked about a group. `why`: as AskForStanding() answered last.
  // `tell` may be empty.
  GroupWatch(const ConnectionOptions& member, bool is_member, std::optional<std::string> why,
             std::chrono::milliseconds interval, Tell tell);
  // Waits for the thread, which breaks off what it waits for.
  ~GroupWatch();
  GroupWatch(const GroupWatch&) = delete;
  GroupWatch& operator=(const GroupWatch&) = delete;

  // The answer in force. Any thread; the first takes no lock.
  [[nodiscard]] bool is_cut_off() const { return is_cut_off_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::optional<std::string> why() const;
  // Whether it has to be writable and is not. Any thread, without a lock.
  [[nodiscard]] bool is_read_only() const { return is_read_only_.load(std::memory_order_relaxed); }

 private:
  void Run(const std::stop_token& stop);
  [[nodiscard]] bool Wait(const std::stop_token& stop);
  void Ask();
  void Note(const std::optional<std::string>& why);

  // Constant after construction.
  ConnectionOptions member_;
  const bool is_member_;
  const std::chrono::milliseconds interval_;
  const Tell tell_;
  const bool requires_writable_;

  // The thread's only.
  std::optional<MysqlConnection> connection_;

  Interrupter interrupter_;
  std::atomic<bool> is_cut_off_;
  std::atomic<bool> is_read_only_ = false;
  mutable std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::optional<std::string> why_;  // Guarded by mutex_.
  std::jthread thread_;             // Last: it uses the others until it is joined.
};

}  // namespace outboxd::binlog
