#include "daemon/service/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "base/invariant.h"

namespace outboxd {

namespace {

// The record's text on one line. Foreign strings in it are escaped already, where they are put in;
// this keeps a forgotten one from forging records.
class OneLineText : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& record, const std::tm&,
              spdlog::memory_buf_t& out) override {
    for (const char c : record.payload) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x20 && byte != 0x7F) {
        out.push_back(c);
      } else {
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
      }
    }
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<OneLineText>();
  }
};

// "<N>" with the priorities of syslog(3), as sd-daemon(3) describes.
class JournalPriority : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& record, const std::tm&,
              spdlog::memory_buf_t& out) override {
    out.push_back('<');
    out.push_back(Priority(record.level));
    out.push_back('>');
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JournalPriority>();
  }

 private:
  static char Priority(spdlog::level::level_enum level) {
    switch (level) {
      case spdlog::level::trace:
      case spdlog::level::debug:
        return '7';
      case spdlog::level::warn:
        return '4';
      case spdlog::level::err:
        return '3';
      case spdlog::level::critical:
        return '2';
      case spdlog::level::info:
      case spdlog::level::off:
      case spdlog::level::n_levels:
        break;
    }
    return '6';
  }
};

spdlog::level::level_enum ToSpdlog(LogConfig::Level level) {
  switch (level) {
    case LogConfig::Level::kDebug:
      return spdlog::level::debug;
    case LogConfig::Level::kInfo:
      return spdlog::level::info;
    case LogConfig::Level::kWarning:
      return spdlog::level::warn;
    case LogConfig::Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

constexpr const char* kFatalPriority = "<2>";

}  // namespace

void StartLog(LogConfig::Level level) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<OneLineText>('*').add_flag<JournalPriority>('N');
  formatter->set_pattern(StandardErrorIsJournal() ? "%N%*" : "%Y-%m-%dT%H:%M:%S.%e%z %-7l %*");
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto logger = std::make_shared<spdlog::logger>("outboxd", std::move(sink));
  logger->set_formatter(std::move(formatter));
  logger->set_level(ToSpdlog(level));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
  break_off_prefix = StandardErrorIsJournal() ? kFatalPriority : "";
}

void PrintFatal(std::string_view text) {
  const char* const priority = StandardErrorIsJournal() ? kFatalPriority : "";
  std::string printed = fmt::format("{}outboxd: ", priority);
  for (const char c : text) {
    printed += c;
    if (c == '\n') printed += priority;
  }
  fmt::print(stderr, "{}\n", printed);
}

bool StandardErrorIsJournal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  if (stream == nullptr) return false;
  struct stat status{};
  if (fstat(STDERR_FILENO, &status) != 0) return false;
  return fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

}  // namespace outboxd
