#include "binlog/server_errors.h"

#include <algorithm>
#include <array>

namespace outboxd::binlog {
namespace {

using enum MetAt;
using enum ErrorKind;

// Numbers instead of the client library's names for them: each version of the library lacks some.
// kDisconnected: the host has no room for this now, or is going down or coming up.
// Sources: MySQL 9.7 and 5.7 share/messages_to_clients.txt and sql/rpl_binlog_sender.cc, Galera's
// wsrep (1047 until a node is in step), ProxySQL's include/proxysql_structs.h.
constexpr auto kServerErrors = std::to_array<ServerError>({
    {1021, "ER_DISK_FULL", "", kStatement, kDisconnected},
    {1030, "ER_GET_ERRNO", "", kStatement, kDisconnected},
    {1037, "ER_OUTOFMEMORY", "", kStatement, kDisconnected},
    {1038, "ER_OUT_OF_SORTMEMORY", "", kStatement, kDisconnected},
    {1040, "ER_CON_COUNT_ERROR", "", kLogIn, kDisconnected},
    {1041, "ER_OUT_OF_RESOURCES", "", kLogIn, kDisconnected},
    {1042, "ER_BAD_HOST_ERROR", "", kLogIn, kDisconnected},
    {1043, "ER_HANDSHAKE_ERROR", "", kLogIn, kDisconnected},
    {1044, "ER_DBACCESS_DENIED_ERROR", "", kStatement, kDenied},
    {1045, "ER_ACCESS_DENIED_ERROR", "", kLogIn, kDenied},
    {1047, "ER_UNKNOWN_COM_ERROR", "", kStatement, kDisconnected},
    {1049, "ER_BAD_DB_ERROR", "", kStatement, kUnsuitable},
    {1053, "ER_SERVER_SHUTDOWN", "", kStatement, kDisconnected},
    {1054, "ER_BAD_FIELD_ERROR", "", kStatement, kUnsuitable},
    {1064, "ER_PARSE_ERROR", "", kStatement, kUnsuitable},
    {1105, "ER_UNKNOWN_ERROR", "", kStatement, kDisconnected},
    {1109, "ER_UNKNOWN_TABLE", "", kStatement, kUnsuitable},
    {1114, "ER_RECORD_FILE_FULL", "", kStatement, kDisconnected},
    {1115, "ER_UNKNOWN_CHARACTER_SET", "", kStatement, kUnsuitable},
    {1129, "ER_HOST_IS_BLOCKED", "", kLogIn, kDisconnected},
    {1130, "ER_HOST_NOT_PRIVILEGED", "", kLogIn, kDenied},
    {1135, "ER_CANT_CREATE_THREAD", "", kLogIn, kDisconnected},
    {1142, "ER_TABLEACCESS_DENIED_ERROR", "", kStatement, kDenied},
    {1143, "ER_COLUMNACCESS_DENIED_ERROR", "", kStatement, kDenied},
    {1146, "ER_NO_SUCH_TABLE", "", kStatement, kUnsuitable},
    {1152, "ER_ABORTING_CONNECTION", "", kStatement, kDisconnected},
    {1156, "ER_NET_PACKETS_OUT_OF_ORDER", "", kStatement, kDisconnected},
    {1157, "ER_NET_UNCOMPRESS_ERROR", "", kStatement, kDisconnected},
    {1158, "ER_NET_READ_ERROR", "", kStatement, kDisconnected},
    {1159, "ER_NET_READ_INTERRUPTED", "", kStatement, kDisconnected},
    {1160, "ER_NET_ERROR_ON_WRITE", "", kStatement, kDisconnected},
    {1161, "ER_NET_WRITE_INTERRUPTED", "", kStatement, kDisconnected},
    {1176, "ER_KEY_DOES_NOT_EXITS", "", kStatement, kUnsuitable},
    {1184, "ER_NEW_ABORTING_CONNECTION", "", kStatement, kDisconnected},
    {1193, "ER_UNKNOWN_SYSTEM_VARIABLE", "", kStatement, kUnsuitable},
    {1203, "ER_TOO_MANY_USER_CONNECTIONS", "", kLogIn, kDisconnected},
    {1205, "ER_LOCK_WAIT_TIMEOUT", "", kStatement, kDisconnected},
    {1206, "ER_LOCK_TABLE_FULL", "", kStatement, kDisconnected},
    {1213, "ER_LOCK_DEADLOCK", "", kStatement, kDisconnected},
    {1226, "ER_USER_LIMIT_REACHED", "", kLogIn, kDisconnected},
    {1227, "ER_SPECIFIC_ACCESS_DENIED_ERROR", "", kDump, kDenied},
    {1231, "ER_WRONG_VALUE_FOR_VAR", "", kStatement, kUnsuitable},
    {1235, "ER_NOT_SUPPORTED_YET", "", kStatement, kUnsuitable},
    // The reasons for which a server ends a dump all have one number and differ by their text
    // alone, part of which changed from "slave" and "master" to "replica" and "source".
    {1236, "ER_SOURCE_FATAL_ERROR_READING_BINLOG", "same server_", kDump, kReplaced},
    {1236, "ER_SOURCE_FATAL_ERROR_READING_BINLOG", "purged", kDump, kGone},
    {1236, "ER_SOURCE_FATAL_ERROR_READING_BINLOG", "Could not find first log file name", kDump,
     kGone},
    {1236, "ER_SOURCE_FATAL_ERROR_READING_BINLOG", "more GTIDs than", kDump, kDiverged},
    {1236, "ER_SOURCE_FATAL_ERROR_READING_BINLOG", "position > file size", kDump, kDiverged},
    {1236, "ER_SOURCE_FATAL_ERROR_READING_BINLOG", "position < 4", kDump, kUnsuitable},
    {1236, "ER_SOURCE_FATAL_ERROR_READING_BINLOG", "bogus data", kDump, kCorrupt},
    {1236, "ER_SOURCE_FATAL_ERROR_READING_BINLOG", "corrupted data", kDump, kCorrupt},
    {1236, "ER_SOURCE_FATAL_ERROR_READING_BINLOG", "exceeded max_allowed_packet", kDump, kCorrupt},
    {1236, "ER_SOURCE_FATAL_ERROR_READING_BINLOG", "crc check", kDump, kCorrupt},
    {1236, "ER_SOURCE_FATAL_ERROR_READING_BINLOG", "in the middle of event", kDump, kCorrupt},
    {1236, "ER_SOURCE_FATAL_ERROR_READING_BINLOG", "invalid event", kDump, kCorrupt},
    {1236, "ER_SOURCE_FATAL_ERROR_READING_BINLOG", "Cannot replicate GTID-transaction", kDump,
     kUnsuitable},
    {1236, "ER_SOURCE_FATAL_ERROR_READING_BINLOG", "Cannot replicate anonymous transaction", kDump,
     kUnsuitable},
    {1236, "ER_SOURCE_FATAL_ERROR_READING_BINLOG", "can not handle replication events", kDump,
     kUnsuitable},
    {1236, "ER_SOURCE_FATAL_ERROR_READING_BINLOG", "Binary log is not open", kDump, kUnsuitable},
    {1236, "ER_SOURCE_FATAL_ERROR_READING_BINLOG", "server_id is 0", kDump, kUnsuitable},
    {1236, "ER_SOURCE_FATAL_ERROR_READING_BINLOG", "", kDump, kDisconnected},
    {1251, "ER_NOT_SUPPORTED_AUTH_MODE", "", kLogIn, kHandshake},
    {1273, "ER_UNKNOWN_COLLATION", "", kStatement, kUnsuitable},
    {1305, "ER_SP_DOES_NOT_EXIST", "", kStatement, kUnsuitable},
    {1317, "ER_QUERY_INTERRUPTED", "", kStatement, kDisconnected},
    {1381, "ER_NO_BINARY_LOGGING", "", kStatement, kUnsuitable},
    // XA RECOVER of an account without XA_RECOVER_ADMIN: MySQL 9.7 sql/xa/sql_xa_recover.cc.
    {1401, "ER_XAER_RMERR", "", kStatement, kDenied},
    {1412, "ER_TABLE_DEF_CHANGED", "", kStatement, kDisconnected},
    {1524, "ER_PLUGIN_IS_NOT_LOADED", "", kLogIn, kHandshake},
    {1698, "ER_ACCESS_DENIED_NO_PASSWORD_ERROR", "", kLogIn, kDenied},
    {1820, "ER_MUST_CHANGE_PASSWORD", "", kStatement, kDenied},
    {1862, "ER_MUST_CHANGE_PASSWORD_LOGIN", "", kLogIn, kDenied},
    {1927, "MariaDB's ER_CONNECTION_KILLED", "", kStatement, kDisconnected},
    {3015, "ER_ENGINE_OUT_OF_MEMORY", "", kStatement, kDisconnected},
    {3024, "ER_QUERY_TIMEOUT", "", kStatement, kDisconnected},
    {3032, "ER_SERVER_OFFLINE_MODE", "", kLogIn, kDisconnected},
    {3118, "ER_ACCOUNT_HAS_BEEN_LOCKED", "", kLogIn, kDenied},
    {3159, "ER_SECURE_TRANSPORT_REQUIRED", "", kLogIn, kHandshake},
    {3168, "ER_SERVER_ISNT_AVAILABLE", "", kLogIn, kDisconnected},
    {3169, "ER_SESSION_WAS_KILLED", "", kStatement, kDisconnected},
    {3170, "ER_CAPACITY_EXCEEDED", "", kStatement, kDisconnected},
    {3955, "ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK", "", kLogIn, kDenied},
    {4031, "ER_CLIENT_INTERACTION_TIMEOUT", "", kStatement, kDisconnected},
    {9001, "ProxySQL's ER_PROXYSQL_MAX_CONN_TIMEOUT", "", kStatement, kDisconnected},
    {9002, "ProxySQL's ER_PROXYSQL_MAX_CONN_FAILURES", "", kStatement, kDisconnected},
});

static_assert(std::ranges::is_sorted(kServerErrors, {}, &ServerError::number));

}  // namespace

std::span<const ServerError> KnownServerErrors() { return kServerErrors; }

const ServerError* FindServerError(unsigned number, std::string_view text) {
  const auto rows = std::ranges::equal_range(kServerErrors, number, {}, &ServerError::number);
  const auto found = std::ranges::find_if(rows, [text](const ServerError& row) {
    return text.find(row.sign) != std::string_view::npos;
  });
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace outboxd::binlog
