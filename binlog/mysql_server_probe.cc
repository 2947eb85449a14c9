#include "binlog/mysql_server_probe.h"

#include <chrono>
#include <utility>

#include "binlog/mysql_log.h"
#include "binlog/mysql_replication.h"
#include "binlog/mysql_server.h"

namespace outboxd::binlog {
namespace {

// All statements are answered at once by a server that is well.
constexpr std::chrono::seconds kAnswerTimeout{10};

}  // namespace

MysqlServerProbe::MysqlServerProbe(std::vector<ConnectionOptions> hosts, ReplicaIdentity identity)
    : hosts_(std::move(hosts)), identity_(std::move(identity)) {
  for (ConnectionOptions& host : hosts_) {
    host.interrupter = &interrupter_;
    host.answer_timeout = host.read_timeout = kAnswerTimeout;
  }
}

MysqlServerProbe::~MysqlServerProbe() { Close(); }

void MysqlServerProbe::Close() {
  interrupter_.Clear();
  server_.reset();
}

void MysqlServerProbe::Interrupt() {
  interrupter_.Request();
  begin_interrupter_.Request();
}

Result<void> MysqlServerProbe::Open(const StreamIdentity& stream) {
  if (server_ && server_uuid_ == stream.server_uuid) return Checked(Result<void>());
  Close();
  return Checked(Connect(stream));
}

Result<void> MysqlServerProbe::Connect(const StreamIdentity& stream) {
  if (stream.host >= hosts_.size()) {
    return Fail(ErrorKind::kUnsuitable, "there is no host {}", stream.host);
  }
  auto server = MysqlServer::Connect(hosts_[stream.host]);
  if (!server) return std::unexpected(server.error());
  auto uuid = server->connection().QueryValue("SELECT @@server_uuid");
  if (!uuid) return std::unexpected(uuid.error());
  server_uuid_ = uuid->value_or("");
  if (server_uuid_ != stream.server_uuid) {
    return Fail(ErrorKind::kDisconnected,
                "mysql at {}: another server answers there now, {} instead of {}",
                AddressText(hosts_[stream.host]), server_uuid_, stream.server_uuid);
  }
  server_ = std::make_unique<MysqlServer>(std::move(*server));
  host_ = stream.host;
  return {};
}

// What breaks off because of Interrupt() is that, whatever the library calls it.
template <typename T>
Result<T> MysqlServerProbe::Checked(Result<T> answer) {
  const bool is_interrupted = interrupter_.Take();
  if (answer && !is_interrupted) return answer;
  Close();
  if (is_interrupted) return Fail(ErrorKind::kInterrupted, "interrupted");
  return answer;
}

template <typename T>
Result<T> MysqlServerProbe::Asked(Result<T> (*ask)(MysqlConnection& connection)) {
  if (!server_) return Checked<T>(Fail(ErrorKind::kDisconnected, "not connected"));
  return Checked(ask(server_->connection()));
}

Result<std::uint64_t> MysqlServerProbe::TimeOfDay() { return Asked(&AskForTimeOfDay); }

Result<LogEnd> MysqlServerProbe::EndOfLog() { return Asked(&AskForLogEnd); }

Result<ReplicaStanding> MysqlServerProbe::StandingToSource() {
  return Asked(&AskForReplicaStanding);
}

Result<std::vector<LogFile>> MysqlServerProbe::Files() { return Asked(&AskForLogFiles); }

Result<std::chrono::seconds> MysqlServerProbe::Expiry() { return Asked(&AskForExpiry); }

Result<std::uint64_t> MysqlServerProbe::BeginOf(const std::string& file) {
  if (!server_) return Fail(ErrorKind::kDisconnected, "not connected");
  ConnectionOptions options = hosts_[host_];
  options.interrupter = &begin_interrupter_;
  auto begun = AskForFileBegin(options, identity_, file);
  begin_interrupter_.Clear();
  if (begin_interrupter_.Take()) return Fail(ErrorKind::kInterrupted, "interrupted");
  return begun;
}

}  // namespace outboxd::binlog
