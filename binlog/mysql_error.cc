#include "binlog/mysql_error.h"

#include <errmsg.h>
#include <mysql.h>
#include <mysqld_error.h>

#include <algorithm>
#include <array>

namespace outboxd::binlog {
namespace {

// Unknown to the headers of some versions of the client library.
constexpr unsigned kSecureTransportRequired = 3159;  // ER_SECURE_TRANSPORT_REQUIRED
constexpr unsigned kSessionWasKilled = 3169;         // ER_SESSION_WAS_KILLED
constexpr unsigned kClientInteractionTimeout = 4031;
constexpr unsigned kLocalInfileRejected = 2068;  // CR_LOAD_DATA_LOCAL_INFILE_REJECTED

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
      return IsTlsLoss(text) ? ErrorKind::kDisconnected : ErrorKind::kHandshake;
    case CR_VERSION_ERROR:
    case CR_AUTH_PLUGIN_CANNOT_LOAD:
    case CR_AUTH_PLUGIN_ERR:
      return ErrorKind::kHandshake;
    case CR_CANT_READ_CHARSET:
    case CR_NET_PACKET_TOO_LARGE:
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

}  // namespace

Error MakeMysqlError(unsigned code, std::string_view text) {
  const bool is_client_error = code >= CR_MIN_ERROR && code <= CR_MAX_ERROR;
  const ErrorKind kind =
      is_client_error ? KindOfClientError(code, text) : KindOfServerError(code, text);
  while (text.ends_with('.')) text.remove_suffix(1);
  return {kind, fmt::format("{} error {}: {}{}", is_client_error ? "mysql client" : "mysql server",
                            code, text, HintFor(code, text))};
}

}  // namespace outboxd::binlog
