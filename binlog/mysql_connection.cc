#include "binlog/mysql_connection.h"

#include <errmsg.h>
#include <mysql.h>
#include <mysqld_error.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <utility>

namespace outboxd::binlog {
namespace {

using Clock = std::chrono::steady_clock;

// An event may be 1 GiB (MySQL 9.7 libs/mysql/binlog/event/binlog_event.h, max_log_event_size);
// the packet around it has one byte more.
constexpr unsigned long kPacketBytesMax = (1UL << 30) + (1UL << 20);

constexpr std::size_t kPasswordBytesMax = 4096;

// Unknown to the headers of some versions of the client library.
constexpr unsigned kSecureTransportRequired = 3159;  // ER_SECURE_TRANSPORT_REQUIRED
constexpr unsigned kSessionWasKilled = 3169;         // ER_SESSION_WAS_KILLED
constexpr unsigned kClientInteractionTimeout = 4031;
constexpr unsigned kLocalInfileRejected = 2068;  // CR_LOAD_DATA_LOCAL_INFILE_REJECTED

// Holds a password for the time of a connect and wipes it afterwards.
class Password {
 public:
  Password() = default;
  Password(Password&& other) noexcept : text_(other.text_), size_(other.size_) { other.Wipe(); }
  Password(const Password&) = delete;
  Password& operator=(const Password&) = delete;
  Password& operator=(Password&&) = delete;
  ~Password() { Wipe(); }

  // The content of `path` without a line end behind it.
  static Result<Password> Read(const std::string& path) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"),
                                                               &std::fclose);
    if (!file) return Unreadable(path);
    std::setvbuf(file.get(), nullptr, _IONBF, 0);
    Password password;
    password.size_ = std::fread(password.text_.data(), 1, kPasswordBytesMax, file.get());
    if (std::ferror(file.get()) != 0) return Unreadable(path);
    if (password.EndsWith('\n')) --password.size_;
    if (password.EndsWith('\r')) --password.size_;
    const std::string_view text(password.text_.data(), password.size_);
    if (text.size() >= kPasswordBytesMax - 1 || text.find('\0') != std::string_view::npos) {
      return Fail(ErrorKind::kUnsuitable, "password file {} does not hold a password", path);
    }
    password.text_[password.size_] = '\0';
    return password;
  }

  [[nodiscard]] const char* c_str() const { return text_.data(); }

 private:
  static std::unexpected<Error> Unreadable(const std::string& path) {
    return Fail(ErrorKind::kUnsuitable, "password file {} cannot be read: {}", path,
                std::strerror(errno));
  }

  [[nodiscard]] bool EndsWith(char c) const { return size_ > 0 && text_[size_ - 1] == c; }
  void Wipe() { explicit_bzero(text_.data(), text_.size()); }

  std::array<char, kPasswordBytesMax + 1> text_{};
  std::size_t size_ = 0;
};

// A server may answer any statement with a request for a file of the client's machine.
int RefuseInfile(void** state, const char*, void*) {
  *state = nullptr;
  return 1;
}
int ReadNothing(void*, char*, unsigned) { return -1; }
void EndNothing(void*) {}
int TellRefusal(void*, char* message, unsigned size) {
  std::snprintf(message, size, "LOAD DATA LOCAL INFILE is refused");
  return static_cast<int>(kLocalInfileRejected);
}

// Loses of the connection that TLS reports as errors of its own.
bool IsTlsLoss(std::string_view text) {
  constexpr std::array<std::string_view, 5> kSigns = {"unexpected eof", "error:00000000",
                                                      "system lib", "SYSCALL", "reset by peer"};
  return std::ranges::any_of(
      kSigns, [text](std::string_view sign) { return text.find(sign) != std::string_view::npos; });
}

struct DumpRefusal {
  std::string_view sign;
  ErrorKind kind;
};

// The reasons for which a server ends a dump all have one number and differ by their text alone,
// part of which changed from "slave" and "master" to "replica" and "source".
// Source: MySQL 9.7 and 5.7 sql/rpl_binlog_sender.cc, share/messages_to_clients.txt.
constexpr auto kDumpRefusals = std::to_array<DumpRefusal>({
    {"same server_", ErrorKind::kReplaced},
    {"purged", ErrorKind::kGone},
    {"Could not find first log file name", ErrorKind::kGone},
    {"more GTIDs than", ErrorKind::kDiverged},
    {"position > file size", ErrorKind::kDiverged},
    {"position < 4", ErrorKind::kUnsuitable},
    {"bogus data", ErrorKind::kCorrupt},
    {"corrupted data", ErrorKind::kCorrupt},
    {"exceeded max_allowed_packet", ErrorKind::kCorrupt},
    {"crc check", ErrorKind::kCorrupt},
    {"in the middle of event", ErrorKind::kCorrupt},
    {"invalid event", ErrorKind::kCorrupt},
    {"Cannot replicate GTID-transaction", ErrorKind::kUnsuitable},
    {"Cannot replicate anonymous transaction", ErrorKind::kUnsuitable},
    {"can not handle replication events", ErrorKind::kUnsuitable},
    {"Binary log is not open", ErrorKind::kUnsuitable},
    {"server_id is 0", ErrorKind::kUnsuitable},
});

ErrorKind KindOfDumpRefusal(std::string_view text) {
  for (const DumpRefusal& refusal : kDumpRefusals) {
    if (text.find(refusal.sign) != std::string_view::npos) return refusal.kind;
  }
  return ErrorKind::kDisconnected;
}

ErrorKind KindOfClientError(unsigned code, std::string_view text) {
  switch (code) {
    case CR_SSL_CONNECTION_ERROR:
      return IsTlsLoss(text) ? ErrorKind::kDisconnected : ErrorKind::kUnsuitable;
    case CR_VERSION_ERROR:
    case CR_CANT_READ_CHARSET:
    case CR_NET_PACKET_TOO_LARGE:
    case CR_AUTH_PLUGIN_CANNOT_LOAD:
    case CR_AUTH_PLUGIN_ERR:
    case kLocalInfileRejected:
      return ErrorKind::kUnsuitable;
    default:
      return ErrorKind::kDisconnected;
  }
}

ErrorKind KindOfServerError(unsigned code, std::string_view text) {
  switch (code) {
    case ER_SOURCE_FATAL_ERROR_READING_BINLOG:
      return KindOfDumpRefusal(text);
    case ER_ACCESS_DENIED_ERROR:
    case ER_ACCESS_DENIED_NO_PASSWORD_ERROR:
    case ER_DBACCESS_DENIED_ERROR:
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_COLUMNACCESS_DENIED_ERROR:
    case ER_SPECIFIC_ACCESS_DENIED_ERROR:
    case ER_HOST_NOT_PRIVILEGED:
    case ER_MUST_CHANGE_PASSWORD:
    case ER_MUST_CHANGE_PASSWORD_LOGIN:
    case ER_ACCOUNT_HAS_BEEN_LOCKED:
      return ErrorKind::kDenied;
    case ER_CON_COUNT_ERROR:
    case ER_HOST_IS_BLOCKED:
    case ER_OUT_OF_RESOURCES:
    case ER_OUTOFMEMORY:
    case ER_HANDSHAKE_ERROR:
    case ER_SERVER_SHUTDOWN:
    case ER_UNKNOWN_ERROR:
    case ER_NEW_ABORTING_CONNECTION:
    case ER_ABORTING_CONNECTION:
    case ER_NET_PACKETS_OUT_OF_ORDER:
    case ER_NET_READ_ERROR:
    case ER_NET_READ_INTERRUPTED:
    case ER_NET_ERROR_ON_WRITE:
    case ER_NET_WRITE_INTERRUPTED:
    case ER_TOO_MANY_USER_CONNECTIONS:
    case ER_USER_LIMIT_REACHED:
    case ER_LOCK_WAIT_TIMEOUT:
    case ER_LOCK_DEADLOCK:
    case ER_QUERY_INTERRUPTED:
    case ER_QUERY_TIMEOUT:
    case ER_SERVER_OFFLINE_MODE:
    case ER_SERVER_ISNT_AVAILABLE:
    case 1927:  // MariaDB's ER_CONNECTION_KILLED, which proxies send too.
    case kSessionWasKilled:
    case kClientInteractionTimeout:
      return ErrorKind::kDisconnected;
    default:
      return ErrorKind::kUnsuitable;
  }
}

std::string_view HintFor(unsigned code, std::string_view text) {
  if (code == CR_AUTH_PLUGIN_ERR && text.find("secure connection") != std::string_view::npos) {
    return " HINT: the password may not cross this connection: use TLS or a Unix socket";
  }
  if (code == kSecureTransportRequired) return " HINT: use TLS or a Unix socket";
  if (code == CR_AUTH_PLUGIN_CANNOT_LOAD) {
    return " HINT: let the account authenticate by caching_sha2_password";
  }
  if (text.find("Cannot replicate anonymous transaction") != std::string_view::npos) {
    return " HINT: gtid_mode became ON before the relay had read these transactions: SET GLOBAL"
           " gtid_mode = ON_PERMISSIVE until it has";
  }
  if (text.find("Cannot replicate GTID-transaction") != std::string_view::npos) {
    return " HINT: gtid_mode became OFF before the relay had read these transactions: SET GLOBAL"
           " gtid_mode = OFF_PERMISSIVE until it has";
  }
  if (code == ER_ACCESS_DENIED_ERROR) return " HINT: check the user name and the password file";
  return {};
}

Error ErrorOf(MYSQL* handle) {
  const unsigned code = mysql_errno(handle);
  std::string_view text = mysql_error(handle);
  const bool is_client_error = code >= CR_MIN_ERROR && code <= CR_MAX_ERROR;
  const ErrorKind kind =
      is_client_error ? KindOfClientError(code, text) : KindOfServerError(code, text);
  while (text.ends_with('.')) text.remove_suffix(1);
  return {kind, fmt::format("{} error {}: {}{}", is_client_error ? "mysql client" : "mysql server",
                            code, text, HintFor(code, text))};
}

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
  if (verifies) setter.SetUnlessEmpty(MYSQL_OPT_SSL_CA, options.tls_ca);
  setter.SetUnlessEmpty(MYSQL_OPT_SSL_CERT, options.tls_cert);
  setter.SetUnlessEmpty(MYSQL_OPT_SSL_KEY, options.tls_key);
  return setter.ok();
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
  setter.Set(MYSQL_OPT_MAX_ALLOWED_PACKET, &kPacketBytesMax);
  setter.Set(MYSQL_SET_CHARSET_NAME, "utf8mb4");
  setter.Set(MYSQL_OPT_LOCAL_INFILE, &off);
  setter.Set(MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &no);
  setter.Set(MYSQL_ENABLE_CLEARTEXT_PLUGIN, &no);
  mysql_set_local_infile_handler(handle, RefuseInfile, ReadNothing, EndNothing, TellRefusal,
                                 nullptr);
  mysql_options4(handle, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "outboxd");
  return SetTls(setter, options);
}

ResultRow CopyRow(MYSQL_ROW row, const unsigned long* lengths, unsigned fields) {
  ResultRow copy(fields);
  for (unsigned i = 0; i < fields; ++i) {
    if (row[i] != nullptr) copy[i].emplace(row[i], lengths[i]);
  }
  return copy;
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

Result<MysqlConnection> MysqlConnection::Connect(const ConnectionOptions& options) {
  InitialiseLibrary();
  std::unique_ptr<MYSQL, Closer> handle(mysql_init(nullptr));
  if (!handle) return Fail(ErrorKind::kDisconnected, "out of memory for a connection");
  const std::string address = AddressText(options);
  if (!SetOptions(handle.get(), options)) {
    return Fail(ErrorOf(handle.get()), "connection options for {}", address);
  }
  const Result<Password> password =
      options.password_file.empty() ? Result<Password>() : Password::Read(options.password_file);
  if (!password) return std::unexpected(password.error());
  const char* const socket = options.socket.empty() ? nullptr : options.socket.c_str();
  const char* const host = options.socket.empty() ? options.host.c_str() : nullptr;
  if (mysql_real_connect(handle.get(), host, options.user.c_str(), password->c_str(), nullptr,
                         options.port, socket, 0) == nullptr) {
    return Fail(ErrorOf(handle.get()), "cannot connect to {}", address);
  }
  if (options.tls != TlsMode::kDisabled && mysql_get_ssl_cipher(handle.get()) == nullptr) {
    return Fail(ErrorKind::kUnsuitable,
                "connection to {} is not encrypted though TLS was asked for", address);
  }
  MysqlConnection connection(std::move(handle), options.answer_timeout);
  // A server that does not know the client's collation falls back to its own character set
  // silently, as 5.7 does with those of 8.0 and later.
  const auto set = connection.Query(
      "SET NAMES utf8mb4, SESSION time_zone = '+00:00', SESSION sql_mode = '', "
      "SESSION autocommit = 1");
  if (!set) return Fail(set.error(), "session at {}", address);
  return connection;
}

Result<void> MysqlConnection::WaitForAnswer() {
  if (WaitReadable(socket_descriptor(), answer_timeout_)) return {};
  shutdown(socket_descriptor(), SHUT_RDWR);
  return Fail(ErrorKind::kDisconnected, "no answer from the server within {} ms",
              answer_timeout_.count());
}

Result<std::vector<ResultRow>> MysqlConnection::Query(std::string_view sql) {
  if (socket_descriptor() < 0) return Fail(ErrorKind::kDisconnected, "the connection was lost");
  if (mysql_send_query(handle_.get(), sql.data(), sql.size()) != 0) {
    return std::unexpected(LastError());
  }
  if (auto answer = WaitForAnswer(); !answer) return std::unexpected(std::move(answer).error());
  if (mysql_read_query_result(handle_.get()) != 0) return std::unexpected(LastError());
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(
      mysql_store_result(handle_.get()), &mysql_free_result);
  std::vector<ResultRow> rows;
  if (!result) {
    if (mysql_field_count(handle_.get()) != 0) return std::unexpected(LastError());
    return rows;
  }
  rows.reserve(static_cast<std::size_t>(mysql_num_rows(result.get())));
  const unsigned fields = mysql_num_fields(result.get());
  while (MYSQL_ROW row = mysql_fetch_row(result.get())) {
    rows.push_back(CopyRow(row, mysql_fetch_lengths(result.get()), fields));
  }
  return rows;
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

std::string_view MysqlConnection::server_version() const {
  const char* const version = mysql_get_server_info(handle_.get());
  return version == nullptr ? std::string_view() : version;
}

bool MysqlConnection::IsMariaDb() const {
  return server_version().find("MariaDB") != std::string_view::npos;
}

Error MysqlConnection::LastError() const { return ErrorOf(handle_.get()); }

int MysqlConnection::socket_descriptor() const {
  return handle_->net.vio == nullptr ? -1 : handle_->net.fd;
}

}  // namespace outboxd::binlog
