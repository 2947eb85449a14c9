#include "binlog/mysql_dump.h"

#include <mysql.h>

#include <algorithm>
#include <utility>

#include "binlog/log_end.h"

namespace outboxd::binlog {
namespace {

// Back-pressure of an hour does not make the server end the dump.
constexpr int kNetWriteTimeoutSeconds = 3600;

}  // namespace

MysqlDump::MysqlDump(MysqlConnection connection, Options options)
    : options_(std::move(options)),
      connection_(std::move(connection)),
      rpl_(std::make_unique<MYSQL_RPL>()) {}

MysqlDump::~MysqlDump() {
  if (is_open_) mysql_binlog_close(connection_.handle(), rpl_.get());
}

Result<StreamIdentity> MysqlDump::Prepare() {
  const auto heartbeat_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(options_.heartbeat).count();
  const std::string uuid = connection_.Quote(options_.replica_uuid);
  // Servers before 8.0.26 know only the second name of each.
  auto set = connection_.Query(fmt::format(
      "SET @source_binlog_checksum = @@global.binlog_checksum, @master_binlog_checksum ="
      " @@global.binlog_checksum, @source_heartbeat_period = {0}, @master_heartbeat_period = {0},"
      " @replica_uuid = {1}, @slave_uuid = {1}, SESSION net_write_timeout = {2}",
      heartbeat_ns, uuid, kNetWriteTimeoutSeconds));
  if (!set) return std::unexpected(set.error());
  auto answer = connection_.QueryRow(
      "SELECT @@server_uuid, @@global.gtid_mode, @source_binlog_checksum, @@global.log_bin", 4);
  if (!answer) return std::unexpected(answer.error());
  const ResultRow& row = *answer;
  if (row[0].value_or("").empty()) {
    return Fail(ErrorKind::kUnknown, "the server does not tell its server_uuid");
  }
  if (row[3].value_or("0") != "1") {
    return Fail(ErrorKind::kUnsuitable, "log_bin is OFF: there is no binary log to read")
        .Hint("in my.cnf: [mysqld] log_bin = binlog, then restart the server");
  }
  return StreamIdentity{.server_uuid = row[0].value_or(""),
                        .by_gtid = row[1].value_or("") == "ON",
                        .has_checksums = row[2].value_or("NONE") != "NONE"};
}

Result<void> MysqlDump::Start(const Position& from, bool by_gtid) {
  if (by_gtid) {
    // Never a file name as well: the server would not search by GTID then.
    encoded_gtids_ = from.gtids.Encode();
    rpl_->gtid_set_encoded_size = encoded_gtids_.size();
    rpl_->gtid_set_arg = encoded_gtids_.data();
    rpl_->start_position = kFirstOffset;
    rpl_->flags = MYSQL_RPL_GTID;
  } else {
    file_ = from.file;
    rpl_->file_name = file_.c_str();
    rpl_->file_name_length = file_.size();
    rpl_->start_position = std::max(from.offset, kFirstOffset);
  }
  rpl_->server_id = options_.server_id;
  if (mysql_binlog_open(connection_.handle(), rpl_.get()) != 0) {
    return std::unexpected(connection_.LastError());
  }
  is_open_ = true;
  return {};
}

Result<Bytes> MysqlDump::Fetch() {
  const auto deadline = options_.first_event_deadline;
  if (!has_answered_ && !WaitReadable(connection_.socket_descriptor(), deadline)) {
    return Fail(ErrorKind::kDisconnected, "the server did not begin to send within {} ms",
                deadline.count());
  }
  if (mysql_binlog_fetch(connection_.handle(), rpl_.get()) != 0) {
    return std::unexpected(connection_.LastError());
  }
  has_answered_ = true;
  if (rpl_->size == 0) return Fail(ErrorKind::kDisconnected, "the server ended the stream");
  return Bytes(rpl_->buffer + 1, rpl_->size - 1);  // Behind the OK byte.
}

}  // namespace outboxd::binlog
