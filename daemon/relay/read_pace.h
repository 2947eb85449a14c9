#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace outboxd {

// Whether an initial read comes to its end while the server still keeps the log that it began in.
// Acknowledgement thread only.
class ReadPace {
 public:
  struct Facts {
    std::uint64_t rows_estimate = 0;   // Of all tables, as the server estimates; 0: unknown.
    std::chrono::seconds log_kept{0};  // As the server is set; 0: for ever.
    std::uint64_t begun_us = 0;        // When the position was taken, wall clock; 0: unknown.
  };

  explicit ReadPace(const Facts& facts) : facts_(facts) {}

  // What is to be told now of a read with `rows` acknowledged: that it will take longer than the
  // log is kept, or more than half of what is left. From a hundredth of the rows on, and at most
  // once in ten minutes. None: nothing.
  [[nodiscard]] std::optional<std::string> Warning(std::uint64_t rows, std::uint64_t now_us);

 private:
  const Facts facts_;

  // The first rows that this process saw: its rate counts from there.
  std::optional<std::uint64_t> first_rows_;
  std::uint64_t first_us_ = 0;
  std::uint64_t next_warning_us_ = 0;
};

}  // namespace outboxd
