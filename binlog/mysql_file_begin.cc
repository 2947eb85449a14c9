#include "binlog/mysql_file_begin.h"

#include <chrono>
#include <utility>

#include "binlog/event_header.h"
#include "binlog/log_end.h"
#include "binlog/mysql_dump.h"
#include "binlog/position.h"

namespace outboxd::binlog {
namespace {

constexpr std::chrono::seconds kAnswerTimeout{10};
constexpr std::chrono::seconds kHeartbeat{1};
// Where the log is, which the sender makes up; then the format, as it stands in the file.
constexpr int kFirstEventsMax = 4;

}  // namespace

Result<std::uint64_t> AskForFileBegin(const ConnectionOptions& options,
                                      const ReplicaIdentity& identity, const std::string& file) {
  ConnectionOptions given = options;
  given.answer_timeout = given.read_timeout = kAnswerTimeout;
  auto connection = MysqlConnection::Connect(given);
  if (!connection) return std::unexpected(connection.error());
  MysqlDump dump(std::move(*connection), {.server_id = identity.server_id,
                                          .replica_uuid = identity.uuid,
                                          .heartbeat = kHeartbeat,
                                          .first_event_deadline = kAnswerTimeout});
  if (auto prepared = dump.Prepare(); !prepared) return std::unexpected(prepared.error());
  auto started = dump.Start({.gtids = {}, .file = file, .offset = kFirstOffset}, false);
  if (!started) return std::unexpected(started.error());
  for (int i = 0; i < kFirstEventsMax; ++i) {
    const auto event = dump.Fetch();
    if (!event) return std::unexpected(event.error());
    const auto header = ParseEventHeader(*event);
    if (!header) return std::unexpected(header.error());
    if (header->type != EventType::kFormatDescription || header->timestamp == 0) continue;
    return std::uint64_t{header->timestamp} * 1'000'000;
  }
  return Fail(ErrorKind::kUnknown, "the server does not tell when it began {}", file);
}

}  // namespace outboxd::binlog
