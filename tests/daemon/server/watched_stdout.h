#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace outboxd {

// Takes what is written to standard output, line by line, until Close().
class WatchedStdout {
 public:
  // `at_line` is called behind each line, by a thread of its own, with how many there were.
  explicit WatchedStdout(std::function<void(std::size_t)> at_line) : at_line_(std::move(at_line)) {
    std::fflush(stdout);
    former_ = ::dup(STDOUT_FILENO);
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    EXPECT_GE(::dup2(ends[1], STDOUT_FILENO), 0);
    ::close(ends[1]);
    reader_ = std::thread([this, end = ends[0]] { Read(end); });
  }
  ~WatchedStdout() { Close(); }
  WatchedStdout(const WatchedStdout&) = delete;
  WatchedStdout& operator=(const WatchedStdout&) = delete;

  // Gives standard output back; what was written to it.
  std::vector<std::string> Close() {
    if (reader_.joinable()) {
      std::fflush(stdout);
      ::dup2(former_, STDOUT_FILENO);
      ::close(former_);
      reader_.join();
    }
    return lines_;
  }

 private:
  void Read(int end) {
    std::string line;
    for (char c; ::read(end, &c, 1) == 1;) {
      if (c != '\n') {
        line += c;
        continue;
      }
      lines_.push_back(std::exchange(line, {}));
      at_line_(lines_.size());
    }
    ::close(end);
  }

  const std::function<void(std::size_t)> at_line_;  // Constant after construction.
  int former_ = -1;
  std::vector<std::string> lines_;  // The reader's, until it is joined.
  std::thread reader_;
};

}  // namespace outboxd
