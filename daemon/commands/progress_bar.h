#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace outboxd {

// A line on standard error that shows a person how far a command is, and is gone when it ends.
// Where standard error is no terminal nothing is shown. One thread.
class ProgressBar {
 public:
  // `what`: "dead letters". `total`: of what is counted; 0: no bar.
  ProgressBar(std::string what, std::uint64_t total);
  ~ProgressBar() { Clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // `done` of the total. It is drawn a few times a second at most.
  void Show(std::uint64_t done);
  // Makes room for a line of text, until it is shown again.
  void Clear();

 private:
  const std::string what_;
  const std::uint64_t total_;
  const bool is_shown_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();

  std::chrono::steady_clock::time_point next_{};
  bool is_drawn_ = false;
};

}  // namespace outboxd
