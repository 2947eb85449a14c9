#include "daemon/service/log.h"

#include <fmt/format.h>
#include <spdlog/details/os.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <iterator>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/invariant.h"
#include "base/json_line.h"
#include "daemon/service/log_record.h"
#include "daemon/service/systemd_journal.h"

namespace outboxd {
namespace {

constexpr char kFatalPriority = '2';

// With the priorities of syslog(3), as sd-daemon(3) describes.
char Priority(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug:
      return '7';
    case spdlog::level::warn:
      return '4';
    case spdlog::level::err:
      return '3';
    case spdlog::level::critical:
      return kFatalPriority;
    case spdlog::level::info:
    case spdlog::level::off:
    case spdlog::level::n_levels:
      break;
  }
  return '6';
}

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

// The text on one line. Foreign strings in it are escaped already, where they are put in; this
// keeps a forgotten one from forging records.
template <typename Out>
void AppendOneLine(std::string_view text, Out& out) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      out.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    }
  }
}

std::string_view PayloadOf(const spdlog::details::log_msg& record) {
  return {record.payload.data(), record.payload.size()};
}

class OneLineText : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& record, const std::tm&,
              spdlog::memory_buf_t& out) override {
    AppendOneLine(PayloadOf(record), out);
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<OneLineText>();
  }
};

std::unique_ptr<spdlog::pattern_formatter> TimeFormatter(std::string pattern) {
  return std::make_unique<spdlog::pattern_formatter>(std::move(pattern),
                                                     spdlog::pattern_time_type::local, "");
}

// One JSON object a line; of a text with a hint each of the two has a key of its own.
class JsonRecord : public spdlog::formatter {
 public:
  explicit JsonRecord(std::string relay) : relay_(std::move(relay)) {}

  void format(const spdlog::details::log_msg& record, spdlog::memory_buf_t& out) override {
    spdlog::memory_buf_t time;
    time_->format(record, time);
    const TextAndHint parts = SplitHint(PayloadOf(record));
    nlohmann::ordered_json json;
    json["time"] = std::string(time.data(), time.size());
    const auto level = spdlog::level::to_string_view(record.level);
    json["level"] = std::string(level.data(), level.size());
    json["relay"] = relay_;
    json["message"] = parts.text;
    if (!parts.hint.empty()) json["hint"] = parts.hint;
    for (const LogField& field : ListLogFields(CurrentLogFields())) {
      json[std::string(field.json_name)] = field.value;
    }
    const std::string line = JsonLine(json);
    out.append(line.data(), line.data() + line.size());
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonRecord>(relay_);
  }

 private:
  std::string relay_;
  std::unique_ptr<spdlog::formatter> time_ = TimeFormatter("%Y-%m-%dT%H:%M:%S.%f%z");
};

std::vector<JournalField> JournalFields(char priority, std::string message, std::string_view relay,
                                        const LogFields& fields) {
  std::vector<JournalField> all{{"MESSAGE", std::move(message)},
                                {"PRIORITY", std::string(1, priority)},
                                {"SYSLOG_IDENTIFIER", "outboxd"}};
  if (!relay.empty()) all.emplace_back("OUTBOXD_RELAY", relay);
  for (LogField& field : ListLogFields(fields)) {
    all.emplace_back(field.journal_name, std::move(field.value));
  }
  return all;
}

class JournalSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit JournalSink(std::string relay) : relay_(std::move(relay)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& record) override {
    std::string text;
    AppendOneLine(PayloadOf(record), text);
    const char priority = Priority(record.level);
    if (SendToJournal(JournalFields(priority, text, relay_, CurrentLogFields()))) return;
    fmt::print(stderr, "<{}>{}\n", priority, text);
  }
  void flush_() override {}

  const std::string relay_;
};

// What PrintFatal() has to know of the log, if there is one.
std::string relay_of_log;

}  // namespace

void StartLog(const LogConfig& config, const std::string& relay) {
  std::shared_ptr<spdlog::sinks::sink> sink;
  const bool is_journal = StandardErrorIsJournal();
  if (is_journal) {
    sink = std::make_shared<JournalSink>(relay);
  } else {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    if (config.format == LogConfig::Format::kJson) {
      sink->set_formatter(std::make_unique<JsonRecord>(relay));
    } else {
      auto formatter = std::make_unique<spdlog::pattern_formatter>();
      formatter->add_flag<OneLineText>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %-7l %*");
      sink->set_formatter(std::move(formatter));
    }
  }
  auto logger = std::make_shared<spdlog::logger>("outboxd", std::move(sink));
  logger->set_level(ToSpdlog(config.level));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
  relay_of_log = relay;
  break_off_prefix = is_journal ? "<2>" : "";
}

void SetLogLevel(LogConfig::Level level) { spdlog::set_level(ToSpdlog(level)); }

void PrintFatal(std::string_view text, ExitCode code) {
  const LogFields fields{.notice = EndedWith(code), .code = code};
  std::string printed = fmt::format("outboxd: {}", text);
  if (!StandardErrorIsJournal()) {
    fmt::print(stderr, "{}\n", printed);
    return;
  }
  if (SendToJournal(JournalFields(kFatalPriority, printed, relay_of_log, fields))) return;
  std::string prefixed;
  for (const char c : "\n" + printed) {
    prefixed += c;
    if (c == '\n') prefixed += fmt::format("<{}>", kFatalPriority);
  }
  fmt::print(stderr, "{}\n", prefixed.substr(1));
}

}  // namespace outboxd
