#include "binlog/mysql_event_source.h"

#include <fcntl.h>
#include <mysql.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <thread>

namespace outboxd::binlog {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kFirstOffset = 4;
// How long a server may lack transactions of the position: they are sent before their commit is
// finished, and a replica may lag.
constexpr std::chrono::seconds kLagMax{60};
constexpr milliseconds kLagCheck{100};
// Back-pressure of an hour does not make the server end the dump.
constexpr int kNetWriteTimeoutSeconds = 3600;

struct DumpState {
  std::string server_uuid;
  bool gtid_mode_is_on = false;
  bool has_checksums = false;
};

Result<DumpState> PrepareSession(MysqlConnection& connection,
                                 const MysqlEventSourceOptions& options) {
  const auto heartbeat_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(options.heartbeat).count();
  const std::string uuid = connection.Quote(options.replica_uuid);
  // Servers before 8.0.26 know only the second name of each.
  auto set = connection.Query(fmt::format(
      "SET @source_binlog_checksum = @@global.binlog_checksum, @master_binlog_checksum ="
      " @@global.binlog_checksum, @source_heartbeat_period = {0}, @master_heartbeat_period = {0},"
      " @replica_uuid = {1}, @slave_uuid = {1}, SESSION net_write_timeout = {2}",
      heartbeat_ns, uuid, kNetWriteTimeoutSeconds));
  if (!set) return std::unexpected(set.error());
  auto rows = connection.Query(
      "SELECT @@server_uuid, @@global.gtid_mode, @source_binlog_checksum, @@global.log_bin");
  if (!rows) return std::unexpected(rows.error());
  const ResultRow& row = rows->at(0);
  if (row.at(3).value_or("0") != "1") {
    return Fail(ErrorKind::kUnsuitable,
                "log_bin is OFF: there is no binary log to read HINT: in"
                " my.cnf: [mysqld] log_bin = binlog, then restart the server");
  }
  return DumpState{.server_uuid = row.at(0).value_or(""),
                   .gtid_mode_is_on = row.at(1).value_or("") == "ON",
                   .has_checksums = row.at(2).value_or("NONE") != "NONE"};
}

Result<GtidSet> QueryGtids(MysqlConnection& connection, std::string_view variable) {
  auto text = connection.QueryValue(fmt::format("SELECT @@global.{}", variable));
  if (!text) return std::unexpected(text.error());
  return GtidSet::Parse(text->value_or(""));
}

Result<void> CheckFile(MysqlConnection& connection, const Position& from) {
  if (from.offset > std::numeric_limits<std::uint32_t>::max()) {
    return Fail(ErrorKind::kUnsuitable,
                "offset {} of {} is beyond 4 GiB, which the protocol cannot ask for without GTIDs"
                " HINT: SET PERSIST gtid_mode = ON, or choose a place in a later file with 'outboxd"
                " position set'",
                from.offset, from.file);
  }
  if (from.file.empty()) return {};
  auto logs = connection.Query("SHOW BINARY LOGS");
  if (!logs) return std::unexpected(logs.error());
  for (const ResultRow& row : *logs) {
    if (row.at(0) != from.file) continue;
    std::uint64_t size = 0;
    const std::string text = row.at(1).value_or("");
    std::from_chars(text.data(), text.data() + text.size(), size);
    if (from.offset <= size) return {};
    return Fail(ErrorKind::kDiverged,
                "binary log {} has {} bytes, the position is at {}: the server lost the end of its"
                " log or began a new one HINT: compare event table and topic, then 'outboxd"
                " position set'",
                from.file, size, from.offset);
  }
  return Fail(ErrorKind::kGone,
              "binary log {} is no longer on the server: events may be missing HINT: 'outboxd"
              " position set table' publishes what is in the event table, then everything new",
              from.file);
}

}  // namespace

// One connection with a dump under way.
class MysqlEventSource::Dump {
 public:
  explicit Dump(MysqlConnection connection) : connection_(std::move(connection)) {}
  ~Dump() {
    if (is_open_) mysql_binlog_close(connection_.handle(), &rpl_);
  }
  Dump(const Dump&) = delete;
  Dump& operator=(const Dump&) = delete;

  Result<void> Start(const Position& from, bool by_gtid, std::uint32_t server_id) {
    if (by_gtid) {
      // Never a file name as well: the server would not search by GTID then.
      encoded_gtids_ = from.gtids.Encode();
      rpl_.gtid_set_encoded_size = encoded_gtids_.size();
      rpl_.gtid_set_arg = encoded_gtids_.data();
      rpl_.start_position = kFirstOffset;
      rpl_.flags = MYSQL_RPL_GTID;
    } else {
      file_ = from.file;
      rpl_.file_name = file_.c_str();
      rpl_.file_name_length = file_.size();
      rpl_.start_position = std::max(from.offset, kFirstOffset);
    }
    rpl_.server_id = server_id;
    if (mysql_binlog_open(connection_.handle(), &rpl_) != 0) {
      return std::unexpected(connection_.LastError());
    }
    is_open_ = true;
    return {};
  }

  Result<Bytes> Fetch(std::chrono::milliseconds first_event_deadline) {
    if (!has_answered_ && !WaitReadable(connection_.socket_descriptor(), first_event_deadline)) {
      return Fail(ErrorKind::kDisconnected, "the server did not begin to send within {} s",
                  first_event_deadline.count() / 1000);
    }
    if (mysql_binlog_fetch(connection_.handle(), &rpl_) != 0) {
      return std::unexpected(connection_.LastError());
    }
    has_answered_ = true;
    if (rpl_.size == 0) return Fail(ErrorKind::kDisconnected, "the server ended the stream");
    return Bytes(rpl_.buffer + 1, rpl_.size - 1);  // Behind the OK byte.
  }

  [[nodiscard]] MysqlConnection& connection() { return connection_; }

 private:
  MysqlConnection connection_;
  MYSQL_RPL rpl_{};
  std::string file_;
  std::string encoded_gtids_;
  bool is_open_ = false;
  bool has_answered_ = false;
};

MysqlEventSource::MysqlEventSource(MysqlEventSourceOptions options)
    : options_(std::move(options)) {}

MysqlEventSource::~MysqlEventSource() { Close(); }

Result<StreamIdentity> MysqlEventSource::Open(const Position& from) {
  Close();
  Result<StreamIdentity> opened = Fail(ErrorKind::kUnsuitable, "no host is configured");
  for (const ConnectionOptions& host : options_.hosts) {
    if (interrupted_.exchange(false)) return Fail(ErrorKind::kInterrupted, "interrupted");
    opened = OpenHost(host, from);
    if (opened) return opened;
    Close();
    if (opened.error().kind == ErrorKind::kInterrupted) return opened;
    opened = Fail(opened.error(), "mysql at {}", AddressText(host));
  }
  return opened;
}

Result<StreamIdentity> MysqlEventSource::OpenHost(const ConnectionOptions& host,
                                                  const Position& from) {
  ConnectionOptions options = host;
  options.read_timeout = std::max(std::chrono::ceil<std::chrono::seconds>(options_.read_deadline),
                                  std::chrono::seconds(1));
  auto connection = MysqlConnection::Connect(options);
  if (!connection) return std::unexpected(connection.error());
  dump_ = std::make_unique<Dump>(std::move(*connection));
  if (!WatchSocket(dump_->connection().socket_descriptor())) {
    return Fail(ErrorKind::kInterrupted, "interrupted");
  }
  auto state = PrepareSession(dump_->connection(), options_);
  if (!state) return AsInterrupted(state.error());
  opened_from_ = from.file;
  const bool is_known_by_file = !from.file.empty() && from.file == file_with_anonymous_;
  const bool by_gtid =
      state->gtid_mode_is_on && !is_known_by_file && (!from.gtids.empty() || from.file.empty());
  // A set without a file where GTIDs cannot be asked for: everything that the server has is read,
  // and what is in the set passed over.
  const bool checks_gtids = by_gtid || (from.file.empty() && !from.gtids.empty());
  auto checked = checks_gtids ? CheckGtids(from.gtids) : CheckFile(dump_->connection(), from);
  if (!checked) return AsInterrupted(checked.error());
  auto started = dump_->Start(from, by_gtid, options_.server_id);
  if (!started) return AsInterrupted(started.error());
  return StreamIdentity{.server_uuid = std::move(state->server_uuid),
                        .by_gtid = by_gtid,
                        .has_checksums = state->has_checksums};
}

// The server itself compares only its own UUID's transactions: after a failover it would pass over
// what it never got.
Result<void> MysqlEventSource::CheckGtids(const GtidSet& have) {
  const auto deadline = std::chrono::steady_clock::now() + kLagMax;
  while (true) {
    auto executed = QueryGtids(dump_->connection(), "gtid_executed");
    if (!executed) return std::unexpected(executed.error());
    const GtidSet lost = have.Minus(*executed);
    if (lost.empty()) break;
    if (std::chrono::steady_clock::now() >= deadline) {
      return Fail(ErrorKind::kDiverged,
                  "the server does not have the transactions {} that were already read: it was"
                  " reset, restored, or a failover lost them HINT: compare event table and topic,"
                  " then choose a place with 'outboxd position set'",
                  lost.ToText());
    }
    std::this_thread::sleep_for(kLagCheck);
  }
  auto purged = QueryGtids(dump_->connection(), "gtid_purged");
  if (!purged) return std::unexpected(purged.error());
  const GtidSet missing = purged->Minus(have);
  if (missing.empty()) return {};
  return Fail(ErrorKind::kGone,
              "the server has purged the transactions {}, which were not read yet: events may be"
              " missing HINT: 'outboxd position set table' publishes what is in the event table,"
              " then everything new",
              missing.ToText());
}

Result<Bytes> MysqlEventSource::Next() {
  if (!dump_) return Fail(ErrorKind::kDisconnected, "the stream is not open");
  auto event = dump_->Fetch(options_.first_event_deadline);
  if (event && !interrupted_.load()) return event;
  Close();
  if (event) {
    interrupted_.store(false);
    return Fail(ErrorKind::kInterrupted, "interrupted");
  }
  return AsInterrupted(AfterFetch(std::move(event.error())));
}

// While gtid_mode goes to ON one file can hold transactions with and without GTID. The server does
// not send such a file by GTID, not even behind those without; by offset it does.
Error MysqlEventSource::AfterFetch(Error error) {
  const bool meets_anonymous =
      error.message.find("anonymous transaction when AUTO_POSITION") != std::string::npos;
  if (!meets_anonymous || opened_from_.empty()) return error;
  file_with_anonymous_ = opened_from_;
  return {
      ErrorKind::kDisconnected,
      fmt::format("{} holds transactions without GTID; going on in it by offset", opened_from_)};
}

// What breaks off because of Interrupt() is that, whatever the library calls it.
std::unexpected<Error> MysqlEventSource::AsInterrupted(const Error& error) {
  if (interrupted_.exchange(false)) return Fail(ErrorKind::kInterrupted, "interrupted");
  return std::unexpected(error);
}

// Keeps a descriptor of our own on the socket: the library may close its one at any time. False:
// Interrupt() came before.
bool MysqlEventSource::WatchSocket(int descriptor) {
  const std::lock_guard lock(mutex_);
  socket_ = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  return !interrupted_.exchange(false);
}

void MysqlEventSource::Interrupt() {
  const std::lock_guard lock(mutex_);
  interrupted_.store(true);
  if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
}

void MysqlEventSource::Close() {
  {
    const std::lock_guard lock(mutex_);
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  dump_.reset();
}

}  // namespace outboxd::binlog
