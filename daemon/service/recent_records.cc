#include "daemon/service/recent_records.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

#include "base/error.h"

namespace outboxd {
namespace {

class KeepingSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit KeepingSink(std::shared_ptr<RecentRecords> records) : records_(std::move(records)) {
    set_level(spdlog::level::warn);
  }

 private:
  void sink_it_(const spdlog::details::log_msg& record) override {
    const auto at =
        std::chrono::duration_cast<std::chrono::microseconds>(record.time.time_since_epoch());
    records_->Add(static_cast<std::uint64_t>(at.count()), record.level >= spdlog::level::err,
                  {record.payload.data(), record.payload.size()});
  }
  void flush_() override {}

  const std::shared_ptr<RecentRecords> records_;
};

}  // namespace

void RecentRecords::Add(std::uint64_t at_us, bool is_error, std::string_view text) {
  const TextAndHint parts = SplitHint(text);
  Record record{.at_us = at_us,
                .is_error = is_error,
                .text = std::string(parts.text.substr(0, kTextBytesMax)),
                .hint = std::string(parts.hint.substr(0, kTextBytesMax))};
  const std::lock_guard lock(mutex_);
  records_.push_back(std::move(record));
  if (records_.size() > kMax) records_.pop_front();
}

std::vector<RecentRecords::Record> RecentRecords::All() const {
  const std::lock_guard lock(mutex_);
  return {records_.begin(), records_.end()};
}

void KeepRecords(std::shared_ptr<RecentRecords> records) {
  spdlog::default_logger()->sinks().push_back(std::make_shared<KeepingSink>(std::move(records)));
}

}  // namespace outboxd
