#include "daemon/service/log_record.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "binlog/gtid_set.h"

namespace outboxd {
namespace {

constexpr LogFields kNoFields;

// spdlog passes a record's text to its sinks, and nothing else. They are called in the thread that
// logs, so that the fields wait here.
thread_local const LogFields* current = &kNoFields;

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kFatal:
      break;
  }
  return spdlog::level::critical;
}

// "UUID[:TAG]:GNO:ROW" without its row; empty: the position is none of a GTID.
std::string_view GtidOf(std::string_view position) {
  const std::string_view gtid = position.substr(0, position.rfind(':'));
  const auto parsed = binlog::GtidSet::Parse(gtid);
  return parsed && parsed->count() == 1 ? gtid : std::string_view();
}

}  // namespace

void Log(LogLevel level, const LogFields& fields, std::string_view text) {
  current = &fields;
  spdlog::log(ToSpdlog(level), "{}", text);
  current = &kNoFields;
}

const LogFields& CurrentLogFields() { return *current; }

std::vector<LogField> ListLogFields(const LogFields& fields) {
  std::vector<LogField> listed;
  const auto add = [&listed](std::string_view journal_name, std::string_view json_name,
                             std::string_view value) {
    if (!value.empty()) listed.emplace_back(journal_name, json_name, std::string(value));
  };
  if (fields.notice != Notice::kNone) {
    add("MESSAGE_ID", "message_id", NameOf(fields.notice).message_id);
    add("OUTBOXD_NOTICE", "notice", NameOf(fields.notice).name);
  }
  add("OUTBOXD_GTID", "gtid", fields.gtid.empty() ? GtidOf(fields.position) : fields.gtid);
  add("OUTBOXD_POSITION", "position", fields.position);
  add("OUTBOXD_TABLE", "table", fields.table);
  add("OUTBOXD_EVENT_ID", "event_id", fields.event_id);
  if (fields.code) {
    add("OUTBOXD_CODE", "code", fmt::format("{}", static_cast<int>(*fields.code)));
  }
  return listed;
}

}  // namespace outboxd
