#include "binlog/mysql_error.h"

#include <errmsg.h>
#include <mysql.h>
#include <mysqld_error.h>

#include <algorithm>
#include <array>

#include "binlog/server_errors.h"

namespace outboxd::binlog {
namespace {

// Unknown to the headers of some versions of the client library.
constexpr unsigned kSecureTransportRequired = 3159;  // ER_SECURE_TRANSPORT_REQUIRED
constexpr unsigned kLocalInfileRejected = 2068;      // CR_LOAD_DATA_LOCAL_INFILE_REJECTED

// Loses of the connection that TLS reports as errors of its own.
bool IsTlsLoss(std::string_view text) {
  constexpr std::array<std::string_view, 5> kSigns = {"unexpected eof", "error:00000000",
                                                      "system lib", "SYSCALL", "reset by peer"};
  return std::ranges::any_of(
      kSigns, [text](std::string_view sign) { return text.find(sign) != std::string_view::npos; });
}

ErrorKind KindOfClientError(unsigned code, std::string_view text) {
  switch (code) {
    case CR_SSL_CONNECTION_ERROR:
      return IsTlsLoss(text) ? ErrorKind::kDisconnected : ErrorKind::kHandshake;
    case CR_VERSION_ERROR:
    case CR_AUTH_PLUGIN_CANNOT_LOAD:
    case CR_AUTH_PLUGIN_ERR:
      return ErrorKind::kHandshake;
    case CR_NET_PACKET_TOO_LARGE:
      return ErrorKind::kTooLarge;
    case CR_CANT_READ_CHARSET:
    case kLocalInfileRejected:
      return ErrorKind::kUnsuitable;
    default:
      return ErrorKind::kDisconnected;
  }
}

constexpr std::string_view kUnknownNumber =
    "outboxd does not know this number: the manual of the server, or of a proxy before it,"
    " tells what it means";

std::string_view HintFor(unsigned code, std::string_view text) {
  if (code == CR_AUTH_PLUGIN_ERR && text.find("secure connection") != std::string_view::npos) {
    return "the password may not cross this connection: use TLS or a Unix socket";
  }
  if (code == kSecureTransportRequired) return "use TLS or a Unix socket";
  if (code == CR_AUTH_PLUGIN_CANNOT_LOAD) {
    return "let the account authenticate by caching_sha2_password";
  }
  if (text.find("Cannot replicate anonymous transaction") != std::string_view::npos) {
    return "gtid_mode became ON before the relay had read these transactions: SET GLOBAL"
           " gtid_mode = ON_PERMISSIVE until it has";
  }
  if (text.find("Cannot replicate GTID-transaction") != std::string_view::npos) {
    return "gtid_mode became OFF before the relay had read these transactions: SET GLOBAL"
           " gtid_mode = OFF_PERMISSIVE until it has";
  }
  if (code == ER_ACCESS_DENIED_ERROR) return "check the user name and the password file";
  if (code == ER_MUST_CHANGE_PASSWORD || code == ER_MUST_CHANGE_PASSWORD_LOGIN) {
    return "the password has expired: ALTER USER it with a new one and PASSWORD EXPIRE NEVER, and"
           " write that into the password file";
  }
  return {};
}

}  // namespace

Error MakeMysqlError(unsigned code, std::string_view text) {
  const bool is_client_error = code >= CR_MIN_ERROR && code <= CR_MAX_ERROR;
  const ServerError* const known = FindServerError(code, text);
  ErrorKind kind = known == nullptr ? ErrorKind::kUnknown : known->kind;
  if (is_client_error) kind = KindOfClientError(code, text);
  const std::string_view hint = kind == ErrorKind::kUnknown ? kUnknownNumber : HintFor(code, text);
  while (text.ends_with('.')) text.remove_suffix(1);
  return {
      kind,
      fmt::format("{} error {}: {}", is_client_error ? "mysql client" : "mysql server", code, text),
      std::string(hint)};
}

}  // namespace outboxd::binlog
