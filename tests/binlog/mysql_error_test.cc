#include "binlog/mysql_error.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <utility>

namespace outboxd::binlog {
namespace {

struct Told {
  unsigned code;
  std::string text;
  ErrorKind kind;

  friend std::ostream& operator<<(std::ostream& out, const Told& told) {
    return out << told.code << ' ' << told.text;
  }
};

class MysqlErrorTest : public testing::TestWithParam<Told> {};

TEST_P(MysqlErrorTest, MeansWhatTheCallerIsToDo) {
  EXPECT_EQ(MakeMysqlError(GetParam().code, GetParam().text).kind, GetParam().kind);
}

// A server ends a dump for any reason with one number.
INSTANTIATE_TEST_SUITE_P(
    EndedDumps, MysqlErrorTest,
    testing::Values(
        Told{1236, "Could not find first log file name in binary log index file", ErrorKind::kGone},
        Told{1236,
             "Cannot replicate because the source purged required binary logs. Replicate the"
             " missing transactions from elsewhere, or provision a new replica from backup.",
             ErrorKind::kGone},
        Told{1236,
             "Replica has more GTIDs than the source has, using the source's SERVER_UUID. This may"
             " indicate that the end of the binary log was truncated",
             ErrorKind::kDiverged},
        Told{1236,
             "Slave has more GTIDs than the master has, using the master's SERVER_UUID. This may",
             ErrorKind::kDiverged},
        Told{1236, "Client requested source to start replication from position > file size",
             ErrorKind::kDiverged},
        Told{1236, "Client requested source to start replication from position < 4",
             ErrorKind::kUnsuitable},
        Told{1236,
             "bogus data in log event; the first event 'binlog.000001' at 5, the last event read"
             " from './binlog.000001' at 126, the last byte read from './binlog.000001' at 145.",
             ErrorKind::kCorrupt},
        Told{1236,
             "log event entry exceeded max_allowed_packet; Increase max_allowed_packet on source",
             ErrorKind::kCorrupt},
        Told{1236, "event read from binlog did not pass crc check; the first event 'binlog.000001'",
             ErrorKind::kCorrupt},
        Told{1236,
             "A replica with the same server_uuid/server_id as this replica has connected to the"
             " source",
             ErrorKind::kReplaced},
        Told{
            1236,
            "A slave with the same server_uuid/server_id as this slave has connected to the master",
            ErrorKind::kReplaced},
        Told{1236, "Cannot replicate GTID-transaction when @@GLOBAL.GTID_MODE = OFF, at file x",
             ErrorKind::kUnsuitable},
        Told{1236,
             "Cannot replicate anonymous transaction when AUTO_POSITION = 1, at file "
             "./binlog.000001",
             ErrorKind::kUnsuitable},
        Told{1236,
             "Replica can not handle replication events with the checksum that source is configured"
             " to log",
             ErrorKind::kUnsuitable},
        Told{1236, "Binary log is not open", ErrorKind::kUnsuitable},
        Told{1236, "a reason of a later version", ErrorKind::kDisconnected}));

INSTANTIATE_TEST_SUITE_P(
    LostConnections, MysqlErrorTest,
    testing::Values(
        Told{2002, "Can't connect to local MySQL server", ErrorKind::kDisconnected},
        Told{2003, "Can't connect to MySQL server", ErrorKind::kDisconnected},
        Told{2006, "MySQL server has gone away", ErrorKind::kDisconnected},
        Told{2013, "Lost connection to MySQL server during query", ErrorKind::kDisconnected},
        Told{2026, "TLS/SSL error: unexpected eof while reading", ErrorKind::kDisconnected},
        Told{1040, "Too many connections", ErrorKind::kDisconnected},
        Told{1053, "Server shutdown in progress", ErrorKind::kDisconnected},
        Told{1317, "Query execution was interrupted", ErrorKind::kDisconnected},
        Told{1927, "Connection was killed", ErrorKind::kDisconnected},
        Told{2013, "a proxy lost its server", ErrorKind::kDisconnected},
        Told{3169, "The session was killed", ErrorKind::kDisconnected}));

// The server, a cluster's member or a proxy has no room now.
INSTANTIATE_TEST_SUITE_P(
    WhatPasses, MysqlErrorTest,
    testing::Values(
        Told{1021, "Disk full (/tmp/x); waiting for someone to free some space...",
             ErrorKind::kDisconnected},
        Told{1030, "Got error 168 - 'Unknown error' from storage engine", ErrorKind::kDisconnected},
        Told{1038, "Out of sort memory, consider increasing server sort buffer size",
             ErrorKind::kDisconnected},
        Told{1047, "WSREP has not yet prepared node for application use", ErrorKind::kDisconnected},
        Told{1135, "Can't create a new thread (errno 11)", ErrorKind::kDisconnected},
        Told{1412, "Table definition has changed, please retry transaction",
             ErrorKind::kDisconnected},
        Told{3015, "Out of memory in InnoDB", ErrorKind::kDisconnected},
        Told{9001, "Max connect timeout reached while reaching hostgroup 0 after 10000ms",
             ErrorKind::kDisconnected}));

INSTANTIATE_TEST_SUITE_P(UnknownNumbers, MysqlErrorTest,
                         testing::Values(Told{12345, "a number of a later version",
                                              ErrorKind::kUnknown},
                                         Told{1815, "Internal error", ErrorKind::kUnknown},
                                         Told{0, "", ErrorKind::kUnknown}));

INSTANTIATE_TEST_SUITE_P(
    Refusals, MysqlErrorTest,
    testing::Values(
        Told{1045, "Access denied for user 'r'@'h'", ErrorKind::kDenied},
        Told{1227, "Access denied; you need the REPLICATION SLAVE privilege(s)",
             ErrorKind::kDenied},
        Told{1142, "SELECT command denied to user", ErrorKind::kDenied},
        Told{1401, "XAER_RMERR: Fatal error occurred in the transaction branch",
             ErrorKind::kDenied},
        Told{3159, "Connections using insecure transport are prohibited", ErrorKind::kHandshake},
        Told{1054, "Unknown column 'x' in 'field list'", ErrorKind::kUnsuitable},
        Told{1146, "Table 'shop.outbox' doesn't exist", ErrorKind::kUnsuitable},
        Told{2020, "Got packet bigger than 'max_allowed_packet' bytes", ErrorKind::kTooLarge},
        Told{2026, "SSL connection error: certificate verify failed", ErrorKind::kHandshake},
        Told{2059, "Authentication plugin 'x' cannot be loaded", ErrorKind::kHandshake},
        Told{2068, "LOAD DATA LOCAL INFILE is refused", ErrorKind::kUnsuitable},
        Told{1064, "You have an error in your SQL syntax", ErrorKind::kUnsuitable}));

TEST(MysqlErrorTextTest, NamesWhoseErrorItIsAndEndsWithoutAFullStop) {
  EXPECT_EQ(MakeMysqlError(2006, "MySQL server has gone away").message,
            "mysql client error 2006: MySQL server has gone away");
  EXPECT_EQ(MakeMysqlError(1227, "Access denied; you need more.").message,
            "mysql server error 1227: Access denied; you need more");
}

TEST(MysqlErrorTextTest, TellsWhatTheOperatorCanDo) {
  for (const auto& [code, text] :
       {std::pair{1045u, "Access denied"}, std::pair{1862u, "Your password has expired"},
        std::pair{3159u, "Connections using insecure transport are prohibited"},
        std::pair{2061u, "Authentication requires secure connection."},
        std::pair{12345u, "a number of a later version"},
        std::pair{1236u, "Cannot replicate anonymous transaction when AUTO_POSITION = 1"},
        std::pair{1236u, "Cannot replicate GTID-transaction when @@GLOBAL.GTID_MODE = OFF"}}) {
    EXPECT_NE(MakeMysqlError(code, text).hint, "") << text;
  }
}

}  // namespace
}  // namespace outboxd::binlog
