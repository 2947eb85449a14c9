#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/error.h"
#include "binlog/log_in.h"
#include "binlog/result_row.h"
#include "binlog/row.h"

struct MYSQL;  // From <mysql.h>, which stays in .cc files.

namespace outboxd::binlog {

class Interrupter;

enum class TlsMode { kDisabled, kRequired, kVerifyCa, kVerifyIdentity };

struct ConnectionOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 3306;
  std::string socket;  // Path of a Unix socket; then host and port are not used.
  LogIn log_in;
  TlsMode tls = TlsMode::kVerifyIdentity;
  // What it was set to counts instead of `log_in`. Null: that counts.
  std::shared_ptr<const RenewableLogIn> renewable = nullptr;
  // The most bytes of a row, an event or another answer that are taken into memory: an event may be
  // 1 GiB (MySQL 9.7 libs/mysql/binlog/event/binlog_event.h, max_log_event_size). What is larger is
  // kTooLarge, and the connection is of no more use.
  std::uint64_t event_bytes_max = std::uint64_t{1} << 30;
  // How long all of a connect may take, from the name's look-up on.
  // Shown in performance_schema.session_connect_attrs, besides program_name.
  std::vector<std::pair<std::string, std::string>> attributes = {};
  bool requires_writable = false;  // A server that is read-only counts as one that is away.
  std::chrono::seconds connect_timeout{10};
  // How long a statement may take until its answer begins.
  std::chrono::milliseconds answer_timeout{60'000};
  // How long any other read may last before the connection counts as dead.
  std::chrono::seconds read_timeout{30};
  // Breaks off the connect, which then is kInterrupted, and watches the connection's socket from
  // then on. Borrowed; null: nothing breaks it off.
  Interrupter* interrupter = nullptr;
};

// Where `options` lead to, for messages: "127.0.0.1:3306" or the socket's path.
[[nodiscard]] std::string AddressText(const ConnectionOptions& options);

// The version of the client library: "9.7.4". Lives as long as the process.
[[nodiscard]] std::string_view MysqlClientVersion();

// One connection to a MySQL server through the genuine client library: LOCAL INFILE refused, no
// option files, no public key over plain text, a password never in an error. The session speaks
// utf8mb4, counts time in UTC, commits by itself and has an empty sql_mode. One thread.
class MysqlConnection {
 public:
  // kDisconnected: the server cannot be reached. kDenied: wrong password, or the account may not
  // connect. kHandshake: TLS, password file or authentication method. kUnsuitable: the server is
  // MariaDB, or TLS is not in force. kInterrupted: by the options' interrupter, whose request
  // stays.
  [[nodiscard]] static Result<MysqlConnection> Connect(const ConnectionOptions& given);

  MysqlConnection(MysqlConnection&&) noexcept;
  MysqlConnection& operator=(MysqlConnection&&) noexcept;
  ~MysqlConnection();

  // All rows of one statement. Waits at most answer_timeout until its answer begins, and
  // read_timeout for each part of it. kDenied: names the missing privilege as the server says it.
  // kDisconnected: the connection is of no more use. kUnsuitable: the server refuses the statement.
  // kUnknown: an error that is not known, or rows of less than `columns_min` values: each row of
  // the result has as many.
  [[nodiscard]] Result<std::vector<ResultRow>> Query(std::string_view sql,
                                                     std::size_t columns_min = 0);

  // The same of a statement that was called `former` up to some version of 8, under the name that
  // the server knows: twice the wait, where that is the former one.
  [[nodiscard]] Result<std::vector<ResultRow>> QueryRenamed(std::string_view sql,
                                                            std::string_view former,
                                                            std::size_t columns_min = 0);

  // The first row of an answer that cannot be without one. Errors as Query(); kUnknown: no row.
  [[nodiscard]] Result<ResultRow> QueryRow(std::string_view sql, std::size_t columns_min);

  // Lets `visit` see the rows of one statement while they arrive; what it is given is valid for the
  // call. False from it breaks the statement off, and the connection is of no more use: whatever
  // is left of the answer would have to be read. The result: whether all rows were seen. Errors as
  // Query().
  [[nodiscard]] Result<bool> VisitRows(
      std::string_view sql, const std::function<bool(std::span<const ColumnValue>)>& visit);

  // One value of a single row; none: NULL or no row. Errors as Query().
  [[nodiscard]] Result<std::optional<std::string>> QueryValue(std::string_view sql);

  [[nodiscard]] std::string Quote(std::string_view text) const;  // As an SQL string literal.

  // The account in force, as GRANT wants it: 'user'@'host'.
  [[nodiscard]] Result<std::string> AccountName();

  // What the last call of the client library on handle() failed with, in this project's words.
  [[nodiscard]] Error LastError() const;
  // Its number, as the library or the server has it; 0: it succeeded.
  [[nodiscard]] unsigned LastErrorCode() const;

  // The library's descriptor; -1 after it has noticed the connection's loss. It closes it then, so
  // another thread that wants to shutdown(2) the socket needs a duplicate of its own.
  [[nodiscard]] int socket_descriptor() const;

  [[nodiscard]] MYSQL* handle() { return handle_.get(); }

 private:
  struct Closer {
    void operator()(MYSQL* handle) const;
  };

  MysqlConnection(std::unique_ptr<MYSQL, Closer> handle, std::chrono::milliseconds answer_timeout);

  // Until the answer to `sql` begins.
  [[nodiscard]] Result<void> Ask(std::string_view sql);
  [[nodiscard]] Result<void> WaitForAnswer();

  std::unique_ptr<MYSQL, Closer> handle_;
  std::chrono::milliseconds answer_timeout_;
};

// Waits until the server has sent something, or is gone; false: not within `timeout`. To be asked
// only between a complete answer and the next one: the library has read nothing ahead then.
[[nodiscard]] bool WaitReadable(int descriptor, std::chrono::milliseconds timeout);

// An identifier in backquotes, as SQL wants it.
[[nodiscard]] std::string QuoteIdentifier(std::string_view name);

// Errors as Query().
[[nodiscard]] Result<bool> AskWhetherReadOnly(MysqlConnection& connection);
// By the server's clock: microseconds since the epoch. Errors as Query().
[[nodiscard]] Result<std::uint64_t> AskForTimeOfDay(MysqlConnection& connection);

}  // namespace outboxd::binlog
