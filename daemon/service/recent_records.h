#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace outboxd {

// The last warnings and errors of the log, for the page. Any thread.
class RecentRecords {
 public:
  static constexpr std::size_t kMax = 30;
  static constexpr std::size_t kTextBytesMax = 1000;

  struct Record {
    std::uint64_t at_us = 0;  // Wall clock.
    bool is_error = false;    // Else it is a warning.
    std::string text, hint;
  };

  // `text`: with its hint behind it, as it stands in the log; each is cut.
  void Add(std::uint64_t at_us, bool is_error, std::string_view text);
  // The oldest first.
  [[nodiscard]] std::vector<Record> All() const;

 private:
  mutable std::mutex mutex_;
  std::deque<Record> records_;  // Guarded by mutex_.
};

// From now on what the log takes of warnings and errors is kept there as well. After StartLog(),
// before other threads start.
void KeepRecords(std::shared_ptr<RecentRecords> records);

}  // namespace outboxd
