#pragma once

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace outboxd {

// What is logged while it lives. Any thread may log.
class CapturedLog {
 public:
  CapturedLog() { spdlog::set_default_logger(std::make_shared<spdlog::logger>("captured", sink_)); }
  ~CapturedLog() { spdlog::set_default_logger(former_); }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  [[nodiscard]] std::string text() const { return sink_->text(); }
  [[nodiscard]] std::ptrdiff_t lines() const { return std::ranges::count(text(), '\n'); }

  // From now on does `act`, which must not log, at each line that holds `part`, in the thread that
  // logs it.
  void At(std::string part, std::function<void()> act) {
    sink_->At(std::move(part), std::move(act));
  }

 private:
  class Sink final : public spdlog::sinks::base_sink<std::mutex> {
   public:
    std::string text() {
      const std::lock_guard lock(mutex_);
      return text_;
    }
    void At(std::string part, std::function<void()> act) {
      const std::lock_guard lock(mutex_);
      acts_.emplace_back(std::move(part), std::move(act));
    }

   private:
    void sink_it_(const spdlog::details::log_msg& message) override {
      spdlog::memory_buf_t line;
      formatter_->format(message, line);
      const std::string_view text(line.data(), line.size());
      text_.append(text);
      for (const auto& [part, act] : acts_) {
        if (text.contains(part)) act();
      }
    }
    void flush_() override {}

    // Guarded by mutex_.
    std::string text_;
    std::vector<std::pair<std::string, std::function<void()>>> acts_;
  };

  std::shared_ptr<Sink> sink_ = std::make_shared<Sink>();
  std::shared_ptr<spdlog::logger> former_ = spdlog::default_logger();
};

}  // namespace outboxd
