#include "binlog/mysql_connection.h"

#include <errmsg.h>
#include <fcntl.h>
#include <mysql.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <utility>

#include "binlog/interrupter.h"
#include "binlog/mysql_error.h"

namespace outboxd::binlog {
namespace {

using Clock = std::chrono::steady_clock;

// What a packet holds besides an event or the text of a row's values.
constexpr unsigned long kPacketOverhead = 1UL << 20;

constexpr int kLocalInfileRejected = 2068;  // CR_LOAD_DATA_LOCAL_INFILE_REJECTED

// A server may answer any statement with a request for a file of the client's machine.
int RefuseInfile(void** state, const char*, void*) {
  *state = nullptr;
  return 1;
}
int ReadNothing(void*, char*, unsigned) { return -1; }
void EndNothing(void*) {}
int TellRefusal(void*, char* message, unsigned size) {
  std::snprintf(message, size, "LOAD DATA LOCAL INFILE is refused");
  return kLocalInfileRejected;
}

Error ErrorOf(MYSQL* handle) { return MakeMysqlError(mysql_errno(handle), mysql_error(handle)); }

void InitialiseLibrary() {
  static std::once_flag once;
  std::call_once(once, [] { mysql_library_init(0, nullptr, nullptr); });
}

unsigned Seconds(std::chrono::seconds duration) {
  return static_cast<unsigned>(std::max<std::chrono::seconds::rep>(duration.count(), 1));
}

unsigned SslMode(TlsMode mode) {
  switch (mode) {
    case TlsMode::kDisabled:
      return SSL_MODE_DISABLED;
    case TlsMode::kRequired:
      return SSL_MODE_REQUIRED;
    case TlsMode::kVerifyCa:
      return SSL_MODE_VERIFY_CA;
    case TlsMode::kVerifyIdentity:
      return SSL_MODE_VERIFY_IDENTITY;
  }
  return SSL_MODE_VERIFY_IDENTITY;
}

// Collects whether the library took each option.
class OptionSetter {
 public:
  explicit OptionSetter(MYSQL* handle) : handle_(handle) {}

  void Set(mysql_option option, const void* value) {
    ok_ = mysql_options(handle_, option, value) == 0 && ok_;
  }
  void SetUnlessEmpty(mysql_option option, const std::string& value) {
    if (!value.empty()) Set(option, value.c_str());
  }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  MYSQL* handle_;
  bool ok_ = true;
};

bool SetTls(OptionSetter& setter, const ConnectionOptions& options) {
  const unsigned mode = SslMode(options.tls);
  setter.Set(MYSQL_OPT_SSL_MODE, &mode);
  if (options.tls == TlsMode::kDisabled) return setter.ok();
  const bool verifies =
      options.tls == TlsMode::kVerifyCa || options.tls == TlsMode::kVerifyIdentity;
  if (verifies) setter.SetUnlessEmpty(MYSQL_OPT_SSL_CA, options.log_in.tls_ca);
  setter.SetUnlessEmpty(MYSQL_OPT_SSL_CERT, options.log_in.tls_cert);
  setter.SetUnlessEmpty(MYSQL_OPT_SSL_KEY, options.log_in.tls_key);
  return setter.ok();
}

// Servers in clouds ask for a token as it is. One that was made for this log-in may be shown to a
// server that has proved to be the one that is meant; a password never.
bool MaySendClearText(const ConnectionOptions& options) {
  return options.tls == TlsMode::kVerifyIdentity && !options.log_in.password.command.empty();
}

bool SetOptions(MYSQL* handle, const ConnectionOptions& options) {
  OptionSetter setter(handle);
  const unsigned connect_timeout = Seconds(options.connect_timeout);
  const unsigned read_timeout = Seconds(options.read_timeout);
  const unsigned protocol = options.socket.empty() ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET;
  const unsigned off = 0;
  const bool no = false;
  setter.Set(MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout);
  setter.Set(MYSQL_OPT_READ_TIMEOUT, &read_timeout);
  setter.Set(MYSQL_OPT_WRITE_TIMEOUT, &read_timeout);
  setter.Set(MYSQL_OPT_PROTOCOL, &protocol);
  const unsigned long packet_bytes_max = options.event_bytes_max + kPacketOverhead;
  setter.Set(MYSQL_OPT_MAX_ALLOWED_PACKET, &packet_bytes_max);
  setter.Set(MYSQL_SET_CHARSET_NAME, "utf8mb4");
  setter.Set(MYSQL_OPT_LOCAL_INFILE, &off);
  setter.Set(MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &no);
  const bool sends_clear_text = MaySendClearText(options);
  setter.Set(MYSQL_ENABLE_CLEARTEXT_PLUGIN, &sends_clear_text);
  mysql_set_local_infile_handler(handle, RefuseInfile, ReadNothing, EndNothing, TellRefusal,
                                 nullptr);
  mysql_options4(handle, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "outboxd");
  for (const auto& [name, value] : options.attributes) {
    mysql_options4(handle, MYSQL_OPT_CONNECT_ATTR_ADD, name.c_str(), value.c_str());
  }
  return SetTls(setter, options);
}

bool IsInterrupted(const ConnectionOptions& options) {
  return options.interrupter != nullptr && options.interrupter->requested();
}

// The blocking call keeps to no deadline while TLS is agreed on (MySQL 9.7 vio/viossl.cc,
// ssl_handshake_loop(): the socket blocks), so that a server that falls silent then would hold it
// for ever.
Result<void> ConnectWithoutBlocking(MYSQL* handle, const ConnectionOptions& options,
                                    const char* password) {
  // What the library waits for it does not tell; mostly it is an answer.
  constexpr std::chrono::milliseconds kLook{5};
  const char* const socket = options.socket.empty() ? nullptr : options.socket.c_str();
  const char* const host = options.socket.empty() ? options.host.c_str() : nullptr;
  const Clock::time_point deadline = Clock::now() + options.connect_timeout;
  while (true) {
    const net_async_status status = mysql_real_connect_nonblocking(
        handle, host, options.log_in.user.c_str(), password, nullptr, options.port, socket, 0);
    if (status == NET_ASYNC_COMPLETE) return {};
    if (status == NET_ASYNC_ERROR) return std::unexpected(ErrorOf(handle));
    if (IsInterrupted(options)) return Fail(ErrorKind::kInterrupted, "interrupted");
    if (Clock::now() >= deadline) {
      return Fail(ErrorKind::kDisconnected, "the server did not complete the log-in within {} s",
                  options.connect_timeout.count());
    }
    static_cast<void>(WaitReadable(handle->net.vio == nullptr ? -1 : handle->net.fd, kLook));
  }
}

Result<void> ConnectBlocking(MYSQL* handle, const ConnectionOptions& options,
                             const char* password) {
  const char* const socket = options.socket.empty() ? nullptr : options.socket.c_str();
  const char* const host = options.socket.empty() ? options.host.c_str() : nullptr;
  if (mysql_real_connect(handle, host, options.log_in.user.c_str(), password, nullptr, options.port,
                         socket, 0) == nullptr) {
    return std::unexpected(ErrorOf(handle));
  }
  return {};
}

// Without blocking the library sends nothing, zero bytes, behind its last packet. Where a server on
// a Unix socket has refused the password by then and closed, that fails, and the refusal is never
// read: "Lost connection ... system error: 32". It is asked once more in the way that reads it.
// TLS, which knows no deadline in that way, is not used on such a socket.
bool MayHideRefusal(MYSQL* handle, const ConnectionOptions& options) {
  return mysql_errno(handle) == CR_SERVER_LOST && !options.socket.empty() &&
         options.tls == TlsMode::kDisabled && !IsInterrupted(options);
}

// After a connect without blocking the library's first statement makes the socket block. Then it
// would keep to no deadline with TLS: it relies on a socket that does not block, as the blocking
// connect leaves it (MySQL 9.7 vio/viosocket.cc, vio_socket_timeout()).
void KeepToDeadlines(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags >= 0 && (flags & O_NONBLOCK) == 0) ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}

// MariaDB lacks the capability that every MySQL has (MariaDB 10.11 include/mysql_com.h,
// CLIENT_MYSQL). Unlike the version it is still known when the log-in failed, which it does with
// MariaDB's usual method of authentication: this client library no longer has it.
bool GreetedAsMariaDb(const MYSQL* handle) {
  return handle->server_capabilities != 0 &&
         (handle->server_capabilities & CLIENT_LONG_PASSWORD) == 0;
}

std::unexpected<Error> RefuseMariaDb(std::string_view address) {
  return Fail(ErrorKind::kUnsuitable, "the server at {} is MariaDB, which is not supported",
              address)
      .Hint("use MySQL; docs/compatibility.md names the versions that were tested");
}

// What no server that was tried does; a proxy before it may.
std::unexpected<Error> OddAnswer(std::string_view sql, std::string_view got) {
  constexpr std::size_t kStatementBytesMax = 100;
  return Fail(ErrorKind::kUnknown, "the server answers '{}{}' with {}",
              sql.substr(0, kStatementBytesMax), sql.size() > kStatementBytesMax ? "..." : "", got)
      .Hint("let outboxd connect to the server itself, without a proxy that answers in its place");
}

ResultRow CopyRow(MYSQL_ROW row, const unsigned long* lengths, unsigned fields) {
  ResultRow copy(fields);
  for (unsigned i = 0; i < fields; ++i) {
    if (row[i] != nullptr) copy[i].emplace(row[i], lengths[i]);
  }
  return copy;
}

ConnectionOptions AsRenewed(ConnectionOptions options) {
  auto renewed = options.renewable ? options.renewable->Get() : std::nullopt;
  if (renewed) options.log_in = *std::move(renewed);
  return options;
}

}  // namespace

std::string AddressText(const ConnectionOptions& options) {
  if (!options.socket.empty()) return options.socket;
  return fmt::format("{}:{}", options.host, options.port);
}

bool WaitReadable(int descriptor, std::chrono::milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  pollfd waiting{descriptor, POLLIN, 0};
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    const int ready = poll(&waiting, 1, static_cast<int>(std::clamp<long>(left, 0, 3'600'000)));
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
    if (Clock::now() >= deadline) return false;
  }
}

std::string QuoteIdentifier(std::string_view name) {
  std::string quoted = "`";
  for (const char c : name) {
    if (c == '`') quoted += '`';
    quoted += c;
  }
  quoted += '`';
  return quoted;
}

void MysqlConnection::Closer::operator()(MYSQL* handle) const { mysql_close(handle); }

MysqlConnection::MysqlConnection(std::unique_ptr<MYSQL, Closer> handle,
                                 std::chrono::milliseconds answer_timeout)
    : handle_(std::move(handle)), answer_timeout_(answer_timeout) {}
MysqlConnection::MysqlConnection(MysqlConnection&&) noexcept = default;
MysqlConnection& MysqlConnection::operator=(MysqlConnection&&) noexcept = default;
MysqlConnection::~MysqlConnection() = default;

std::string_view MysqlClientVersion() { return mysql_get_client_info(); }

Result<MysqlConnection> MysqlConnection::Connect(const ConnectionOptions& given) {
  InitialiseLibrary();
  const ConnectionOptions options = AsRenewed(given);
  const std::string address = AddressText(options);
  const auto is_over = [&options] { return IsInterrupted(options); };
  const Result<Password> password = Password::Get(options.log_in.password, is_over);
  if (!password) return std::unexpected(password.error());
  std::unique_ptr<MYSQL, Closer> handle;
  Result<void> connected;
  for (const auto connect : {ConnectWithoutBlocking, ConnectBlocking}) {
    handle.reset(mysql_init(nullptr));
    if (!handle) return Fail(ErrorKind::kDisconnected, "out of memory for a connection");
    if (!SetOptions(handle.get(), options)) {
      return Fail(ErrorOf(handle.get()), "connection options for {}", address);
    }
    connected = connect(handle.get(), options, password->c_str());
    if (connected || !MayHideRefusal(handle.get(), options)) break;
  }
  if (!connected) {
    const bool may_pass = connected.error().kind == ErrorKind::kDisconnected;
    if (!may_pass && GreetedAsMariaDb(handle.get())) return RefuseMariaDb(address);
    return Fail(connected.error(), "cannot connect");
  }
  if (options.tls != TlsMode::kDisabled && mysql_get_ssl_cipher(handle.get()) == nullptr) {
    return Fail(ErrorKind::kUnsuitable,
                "connection to {} is not encrypted though TLS was asked for", address);
  }
  if (GreetedAsMariaDb(handle.get())) return RefuseMariaDb(address);
  MysqlConnection connection(std::move(handle), options.answer_timeout);
  if (options.interrupter != nullptr) options.interrupter->Watch(connection.socket_descriptor());
  // A server that does not know the client's collation falls back to its own character set
  // silently, as 5.7 does with those of 8.0 and later.
  const auto set = connection.Query(
      "SET NAMES utf8mb4, SESSION time_zone = '+00:00', SESSION sql_mode = '', "
      "SESSION autocommit = 1");
  if (IsInterrupted(options)) return Fail(ErrorKind::kInterrupted, "interrupted");
  if (!set) return Fail(set.error(), "session at {}", address);
  if (!options.requires_writable) return connection;
  const auto is_read_only = AskWhetherReadOnly(connection);
  if (!is_read_only) return Fail(is_read_only.error(), "session at {}", address);
  if (!*is_read_only) return connection;
  return Fail(ErrorKind::kDisconnected, "the server is read-only, and mysql.require = writable")
      .Hint("SET GLOBAL read_only = OFF, unless another server takes the writes and has a relay");
}

Result<bool> AskWhetherReadOnly(MysqlConnection& connection) {
  // It is ON where super_read_only is.
  const auto rows = connection.Query("SELECT @@global.read_only", 1);
  if (!rows) return std::unexpected(rows.error());
  return !rows->empty() && rows->front()[0] != "0";
}

Result<std::uint64_t> AskForTimeOfDay(MysqlConnection& connection) {
  const auto time = connection.QueryRow(
      "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(6))", 1);
  if (!time) return std::unexpected(time.error());
  return NumberOf(TextOf(time->front()));
}

Result<void> MysqlConnection::WaitForAnswer() {
  if (WaitReadable(socket_descriptor(), answer_timeout_)) return {};
  shutdown(socket_descriptor(), SHUT_RDWR);
  return Fail(ErrorKind::kDisconnected, "no answer from the server within {} ms",
              answer_timeout_.count());
}

Result<void> MysqlConnection::Ask(std::string_view sql) {
  if (socket_descriptor() < 0) return Fail(ErrorKind::kDisconnected, "the connection was lost");
  if (mysql_send_query(handle_.get(), sql.data(), sql.size()) != 0) {
    return std::unexpected(LastError());
  }
  KeepToDeadlines(socket_descriptor());
  if (auto answer = WaitForAnswer(); !answer) return std::unexpected(std::move(answer).error());
  if (mysql_read_query_result(handle_.get()) != 0) return std::unexpected(LastError());
  return {};
}

Result<std::vector<ResultRow>> MysqlConnection::Query(std::string_view sql,
                                                      std::size_t columns_min) {
  if (auto asked = Ask(sql); !asked) return std::unexpected(std::move(asked).error());
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(
      mysql_store_result(handle_.get()), &mysql_free_result);
  std::vector<ResultRow> rows;
  if (!result && mysql_field_count(handle_.get()) != 0) return std::unexpected(LastError());
  const unsigned fields = result ? mysql_num_fields(result.get()) : 0;
  if (fields < columns_min) return OddAnswer(sql, fmt::format("{} columns", fields));
  if (!result) return rows;
  rows.reserve(static_cast<std::size_t>(mysql_num_rows(result.get())));
  while (MYSQL_ROW row = mysql_fetch_row(result.get())) {
    rows.push_back(CopyRow(row, mysql_fetch_lengths(result.get()), fields));
  }
  return rows;
}

Result<std::vector<ResultRow>> MysqlConnection::QueryRenamed(std::string_view sql,
                                                             std::string_view former,
                                                             std::size_t columns_min) {
  auto rows = Query(sql, columns_min);
  if (rows || rows.error().kind != ErrorKind::kUnsuitable) return rows;
  return Query(former, columns_min);
}

Result<ResultRow> MysqlConnection::QueryRow(std::string_view sql, std::size_t columns_min) {
  auto rows = Query(sql, columns_min);
  if (!rows) return std::unexpected(std::move(rows).error());
  if (rows->empty()) return OddAnswer(sql, "no row");
  return std::move(rows->front());
}

Result<bool> MysqlConnection::VisitRows(
    std::string_view sql, const std::function<bool(std::span<const ColumnValue>)>& visit) {
  if (auto asked = Ask(sql); !asked) return std::unexpected(std::move(asked).error());
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(
      mysql_use_result(handle_.get()), &mysql_free_result);
  if (!result) {
    if (mysql_field_count(handle_.get()) != 0) return std::unexpected(LastError());
    return true;
  }
  std::vector<ColumnValue> values(mysql_num_fields(result.get()));
  while (MYSQL_ROW row = mysql_fetch_row(result.get())) {
    const unsigned long* const lengths = mysql_fetch_lengths(result.get());
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = row[i] == nullptr ? ColumnValue() : ColumnValue({row[i], lengths[i]});
    }
    if (visit(values)) continue;
    // Else the library would read all that is left before it frees the result.
    handle_->status = MYSQL_STATUS_READY;
    shutdown(socket_descriptor(), SHUT_RDWR);
    return false;
  }
  if (LastErrorCode() != 0) return std::unexpected(LastError());
  return true;
}

Result<std::optional<std::string>> MysqlConnection::QueryValue(std::string_view sql) {
  auto rows = Query(sql);
  if (!rows) return std::unexpected(std::move(rows).error());
  if (rows->empty() || rows->front().empty()) return std::optional<std::string>();
  return std::move(rows->front().front());
}

std::string MysqlConnection::Quote(std::string_view text) const {
  std::string quoted(2 * text.size() + 1, '\0');
  quoted.resize(
      mysql_real_escape_string_quote(handle_.get(), quoted.data(), text.data(), text.size(), '\''));
  return fmt::format("'{}'", quoted);
}

Result<std::string> MysqlConnection::AccountName() {
  auto current = QueryValue("SELECT CURRENT_USER()");
  if (!current) return std::unexpected(current.error());
  const std::string account = current->value_or("");
  const std::size_t at = account.rfind('@');
  if (at == std::string::npos) return Quote(account);
  return fmt::format("{}@{}", Quote(account.substr(0, at)), Quote(account.substr(at + 1)));
}

Error MysqlConnection::LastError() const { return ErrorOf(handle_.get()); }

unsigned MysqlConnection::LastErrorCode() const { return mysql_errno(handle_.get()); }

int MysqlConnection::socket_descriptor() const {
  return handle_->net.vio == nullptr ? -1 : handle_->net.fd;
}

}  // namespace outboxd::binlog
