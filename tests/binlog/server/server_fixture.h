#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "binlog/mysql_connection.h"
#include "binlog/mysql_table_source.h"

namespace outboxd::binlog {

inline std::string EnvironmentOf(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The server of the environment.
inline ConnectionOptions ServerOptions() {
  ConnectionOptions options;
  options.socket = EnvironmentOf("OUTBOXD_TEST_MYSQL_SOCKET");
  options.log_in.user = EnvironmentOf("OUTBOXD_TEST_MYSQL_USER");
  options.log_in.password.file = EnvironmentOf("OUTBOXD_TEST_MYSQL_PASSWORD_FILE");
  options.tls = TlsMode::kDisabled;
  return options;
}

// The same over TCP and TLS.
inline ConnectionOptions TcpServerOptions() {
  ConnectionOptions options = ServerOptions();
  options.socket.clear();
  options.port = static_cast<std::uint16_t>(std::stoul(EnvironmentOf("OUTBOXD_TEST_MYSQL_PORT")));
  options.tls = TlsMode::kRequired;
  return options;
}

// A session of its own in a schema of its own, and an open table source.
class ServerTest : public testing::Test {
 protected:
  static constexpr std::string_view kSchema = "table_source_test";

  void SetUp() override {
    auto connection = MysqlConnection::Connect(ServerOptions());
    ASSERT_TRUE(connection) << connection.error().message;
    session_ = std::make_unique<MysqlConnection>(std::move(*connection));
    Run("DROP DATABASE IF EXISTS table_source_test");
    Run("CREATE DATABASE table_source_test");
    Run("USE table_source_test");
    Run("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'");
    stream_.server_uuid = Run("SELECT @@server_uuid").at(0).at(0).value();
    auto opened = source_.Open(stream_);
    ASSERT_TRUE(opened) << opened.error().message;
  }

  std::vector<ResultRow> Run(std::string_view sql) {
    auto rows = session_->Query(sql);
    EXPECT_TRUE(rows) << sql.substr(0, 300) << "\n" << (rows ? "" : rows.error().message);
    return rows ? std::move(*rows) : std::vector<ResultRow>();
  }

  TableToRead Describe(std::string_view table) {
    auto tables = source_.Describe(kSchema, table);
    EXPECT_TRUE(tables) << tables.error().message;
    EXPECT_EQ(tables->size(), 1U);
    return tables->empty() ? TableToRead() : tables->front();
  }

  std::unique_ptr<MysqlConnection> session_;
  StreamIdentity stream_;
  MysqlTableSource source_{
      {.hosts = {ServerOptions()}, .lock_wait_timeout = std::chrono::seconds(1)}};
};

}  // namespace outboxd::binlog
