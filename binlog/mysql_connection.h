#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/error.h"

struct MYSQL;  // From <mysql.h>, which stays in .cc files.

namespace outboxd::binlog {

enum class TlsMode { kDisabled, kRequired, kVerifyCa, kVerifyIdentity };

struct ConnectionOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 3306;
  std::string socket;         // Path of a Unix socket; then host and port are not used.
  std::string user;
  std::string password_file;  // Read at every connect. Empty: no password.
  TlsMode tls = TlsMode::kVerifyIdentity;
  std::string tls_ca, tls_cert, tls_key;
  std::chrono::seconds connect_timeout{10};
  // How long one read may last before the connection counts as dead.
  std::chrono::seconds read_timeout{30};
};

// Rows of a small result, as text; none: NULL.
using ResultRow = std::vector<std::optional<std::string>>;

// One connection to a MySQL server through the genuine client library: LOCAL INFILE refused, no
// option files, no public key over plain text, a password never in an error. One thread.
class MysqlConnection {
 public:
  [[nodiscard]] static Result<MysqlConnection> Connect(const ConnectionOptions& options);

  MysqlConnection(MysqlConnection&&) noexcept;
  MysqlConnection& operator=(MysqlConnection&&) noexcept;
  ~MysqlConnection();

  // All rows of one statement. kDenied: names the missing privilege as the server says it.
  [[nodiscard]] Result<std::vector<ResultRow>> Query(std::string_view sql);

  // One value of a single row; none: NULL or no row.
  [[nodiscard]] Result<std::optional<std::string>> QueryValue(std::string_view sql);

  [[nodiscard]] std::string Quote(std::string_view text) const;  // As an SQL string literal.

  // The file descriptor, for shutdown(2) from another thread; -1 after the connection was lost.
  [[nodiscard]] int socket_descriptor() const;

  [[nodiscard]] MYSQL* handle() { return handle_.get(); }

 private:
  struct Closer {
    void operator()(MYSQL* handle) const;
  };

  explicit MysqlConnection(std::unique_ptr<MYSQL, Closer> handle);

  std::unique_ptr<MYSQL, Closer> handle_;
};

}  // namespace outboxd::binlog
